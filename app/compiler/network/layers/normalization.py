"""Layers that subtract means and divide by deviations or lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, spatial
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import given as stored
from app.compiler.network.weights import weights, wide

_BATCHNORM_EPSILON = 1e-5
_EPSILON = 1e-6
"""NeuralNetwork.proto: what an epsilon that is unset or zero stands for."""


@rebuilds("batchnorm")
def batchnorm(layer: Layer) -> Blob:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta by channel, with stored or computed mean and variance."""
    given = layer.parameters
    x, back = spatial(layer.x)
    epsilon = np.float32(given.epsilon or _BATCHNORM_EPSILON)
    gamma, beta = _or_all(given.gamma, given.channels, 1.0), _or_all(given.beta, given.channels, 0.0)
    if not given.computeMeanVar:
        mean, variance = wide(given.mean, (given.channels,)), wide(given.variance, (given.channels,))
        return back(mb.batch_norm(x=x, mean=mean, variance=variance, gamma=gamma, beta=beta, epsilon=epsilon))
    if given.instanceNormalization or x.shape[0] == 1:
        return back(mb.instance_norm(x=x, gamma=gamma, beta=beta, epsilon=epsilon))
    y = _centred(x, [0, 2, 3], epsilon)
    return back(mb.add(x=mb.mul(x=y, y=gamma.reshape(-1, 1, 1)), y=beta.reshape(-1, 1, 1)))


def _or_all(parameters: Any, channels: int, default: float) -> np.ndarray:
    return wide(parameters, (channels,)) if stored(parameters) else np.full(int(channels), default, np.float32)


def _centred(x: Any, axes: list[int], epsilon: np.float32 | None) -> Any:
    """(x - mean) / sqrt(variance + epsilon) over `axes`; without an epsilon only x - mean."""
    centred = mb.sub(x=x, y=mb.reduce_mean(x=x, axes=axes, keep_dims=True))
    if epsilon is None:
        return centred
    variance = mb.reduce_mean(x=mb.square(x=centred), axes=axes, keep_dims=True)
    return mb.real_div(x=centred, y=mb.sqrt(x=mb.add(x=variance, y=epsilon)))


@rebuilds("mvn")
def mean_variance(layer: Layer) -> Blob:
    """x minus its mean and, if wanted, over its deviation: by channel, or over channels, height and width together."""
    given = layer.parameters
    x, back = spatial(layer.x)
    epsilon = np.float32(given.epsilon or _EPSILON)
    axes = [1, 2, 3] if given.acrossChannels else [2, 3]
    return back(_centred(x, axes, epsilon if given.normalizeVariance else None))


@rebuilds("l2normalize")
def l2_normalize(layer: Layer) -> Blob:
    """x / sqrt(sum of squares over the last three axes + epsilon)."""
    x, back = spatial(layer.x)
    return back(mb.l2_norm(x=x, epsilon=np.float32(layer.parameters.epsilon or _EPSILON)))


@rebuilds("lrn")
def local_response(layer: Layer) -> Blob:
    """x / (k + alpha / size * sum of squares over `size` neighbouring channels) ** beta."""
    given = layer.parameters
    x, back = spatial(layer.x)
    return back(
        mb.local_response_norm(
            x=x,
            size=int(given.localSize),
            alpha=np.float32(given.alpha),
            beta=np.float32(given.beta),
            k=np.float32(given.k or 1),
        )
    )


@rebuilds("layerNormalization")
def layer_normalization(layer: Layer) -> Blob:
    """Over the last axes, as many as `normalizedShape` has. Raises ValueError where their sizes differ."""
    given, x = layer.parameters, layer.x
    shape = tuple(int(size) for size in given.normalizedShape)
    if not shape or tuple(x.var.shape[-len(shape) :]) != shape:
        raise ValueError(f"normalized shape {shape} of {x.shape}")
    gamma, beta = weights(given.gamma, shape), weights(given.beta, shape)
    return x.then(
        mb.layer_norm(
            x=x.var,
            axes=list(range(-len(shape), 0)),
            gamma=gamma.astype(np.float32),
            beta=beta.astype(np.float32),
            epsilon=np.float32(given.eps),
        )
    )
