"""Non-linearities: the `activation` layer, and those that came later as layers of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, spatial
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import count, wide

_PLAIN = {
    "ReLU": mb.relu,
    "tanh": mb.tanh,
    "sigmoid": mb.sigmoid,
    "softsign": mb.softsign,
    "softplus": mb.softplus,
}
_ONE_NUMBER = {"leakyReLU": mb.leaky_relu, "thresholdedReLU": mb.thresholded_relu, "ELU": mb.elu}
_TWO_NUMBERS = {"linear": mb.linear_activation, "scaledTanh": mb.scaled_tanh, "sigmoidHard": mb.sigmoid_hard}


@rebuilds("activation")
def activation(layer: Layer) -> Blob:
    """One of the non-linearities of `ActivationParams`, element by element."""
    x, kind = layer.x, layer.parameters.WhichOneof("NonlinearityType")
    given = getattr(layer.parameters, kind or "ReLU")
    if kind in _PLAIN:
        return x.then(_PLAIN[kind](x=x.var))
    if kind in _ONE_NUMBER:
        return x.then(_ONE_NUMBER[kind](x=x.var, alpha=np.float32(given.alpha)))
    if kind in _TWO_NUMBERS:
        return x.then(_TWO_NUMBERS[kind](x=x.var, alpha=np.float32(given.alpha), beta=np.float32(given.beta)))
    if kind == "PReLU":
        var, back = spatial(x)
        return back(mb.prelu(x=var, alpha=_by_channel(given.alpha, var)))
    if kind == "parametricSoftplus":
        var, back = spatial(x)
        alpha, beta = _by_channel(given.alpha, var), _by_channel(given.beta, var)
        return back(mb.softplus_parametric(x=var, alpha=alpha, beta=beta))
    raise ValueError("no non-linearity is named")


def _by_channel(parameters: Any, x: Any) -> np.ndarray:
    """One number for each channel; a single one stands for all."""
    channels = int(x.shape[1])
    stored = 1 if count(parameters) == 1 else channels
    return np.broadcast_to(wide(parameters, (stored,)), (channels,)).copy()


@rebuilds("clampedReLU")
def clamped_relu(layer: Layer) -> Blob:
    """min(x, beta) where x >= 0, else min(alpha * x, beta)."""
    alpha, beta = np.float32(layer.parameters.alpha), np.float32(layer.parameters.beta)
    return layer.x.then(mb.clamped_relu(x=layer.x.var, alpha=alpha, beta=beta))


@rebuilds("gelu")
def gelu(layer: Layer) -> Blob:
    """The Gaussian error linear unit, exact or by one of its two approximations."""
    given = layer.parameters
    mode = {given.EXACT: "EXACT", given.TANH_APPROXIMATION: "TANH_APPROXIMATION",
            given.SIGMOID_APPROXIMATION: "SIGMOID_APPROXIMATION"}[given.mode]  # fmt: skip
    return layer.x.then(mb.gelu(x=layer.x.var, mode=mode))


@rebuilds("softmax")
def softmax(layer: Layer) -> Blob:
    """Along the third last axis, which is the channels'."""
    return layer.x.then(mb.softmax(x=layer.x.var, axis=-3))


@rebuilds("softmaxND")
def softmax_nd(layer: Layer) -> Blob:
    """Along any axis."""
    return layer.x.then(mb.softmax(x=layer.x.var, axis=layer.x.axis(int(layer.parameters.axis))))
