"""MIL family `normalization`. Every result keeps shape and dtype of x."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.axes import place
from app.compiler.ops.registry import Axes, NotCovered, lowers
from app.compiler.ops.types import Wide


@lowers("batch_norm", axes=Axes.SPATIAL)
def batch_norm(
    x: mx.array,
    *,
    mean: Wide,
    variance: Wide,
    gamma: Wide | None = None,
    beta: Wide | None = None,
    epsilon: float = 1e-5,
    channels_last: bool = False,
) -> mx.array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, one of each a channel, in float32 whatever the dtype."""
    scale = mx.rsqrt(variance.astype(mx.float32) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    offset = -mean * scale
    if beta is not None:
        offset = offset + beta
    shape = (-1,) if channels_last else (-1, *(1,) * (x.ndim - 2))
    return (x * scale.reshape(shape) + offset.reshape(shape)).astype(x.dtype)


@lowers("instance_norm", axes=Axes.SPATIAL)
def instance_norm(
    x: mx.array,
    *,
    gamma: mx.array | None = None,
    beta: mx.array | None = None,
    epsilon: float = 1e-5,
    channels_last: bool = False,
) -> mx.array:
    """Each channel of each image brought to mean 0 and variance 1 over space, then gamma and beta a channel."""
    axes = tuple(range(1, x.ndim - 1)) if channels_last else tuple(range(2, x.ndim))
    shape = (-1,) if channels_last else (-1, *(1,) * (x.ndim - 2))
    return _standardise(
        x, axes, epsilon, None if gamma is None else gamma.reshape(shape), None if beta is None else beta.reshape(shape)
    )


@lowers("layer_norm")
def layer_norm(
    x: mx.array,
    *,
    axes: tuple[int, ...] | None = None,
    gamma: mx.array | None = None,
    beta: mx.array | None = None,
    epsilon: float = 1e-5,
) -> mx.array:
    """x brought to mean 0 and variance 1 over `axes` (default all), then gamma and beta, which span those axes."""
    chosen = tuple(range(x.ndim)) if axes is None else tuple(sorted(axis % x.ndim for axis in axes))
    if chosen == (x.ndim - 1,):
        return mx.fast.layer_norm(x, gamma, beta, epsilon)
    shape = tuple(size if axis in chosen else 1 for axis, size in enumerate(x.shape))
    return _standardise(
        x,
        chosen,
        epsilon,
        None if gamma is None else gamma.reshape(shape),
        None if beta is None else beta.reshape(shape),
    )


@lowers("rms_norm")
def rms_norm(x: mx.array, *, axes: tuple[int, ...], gamma: mx.array | None = None, epsilon: float = 1e-5) -> mx.array:
    """x / sqrt(mean of squares over `axes` + epsilon), then gamma, which spans those axes, which ascend.

    Not a MIL op; `passes/norms.py` makes it.
    """
    chosen = tuple(axis % x.ndim for axis in axes)
    if chosen == (x.ndim - 1,):
        return mx.fast.rms_norm(x, gamma, epsilon)
    wide = x.astype(mx.float32)
    wide = wide * mx.rsqrt(mx.mean(mx.square(wide), axis=chosen, keepdims=True) + epsilon)
    if gamma is not None:
        wide = wide * gamma.reshape(tuple(size if axis in chosen else 1 for axis, size in enumerate(x.shape)))
    return wide.astype(x.dtype)


@lowers("l2_norm")
def l2_norm(x: mx.array, *, epsilon: float = 1e-6, channels_last: bool = False) -> mx.array:
    """x / sqrt(sum of squares + epsilon) over the last three axes as MIL counts them, in float32 whatever the dtype."""
    axes = tuple(place(axis, x.ndim, channels_last) for axis in range(x.ndim - 3, x.ndim))
    wide = x.astype(mx.float32)
    return (wide * mx.rsqrt(mx.sum(mx.square(wide), axis=axes, keepdims=True) + epsilon)).astype(x.dtype)


@lowers("local_response_norm", axes=Axes.SPATIAL)
def local_response_norm(
    x: mx.array,
    *,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    channels_last: bool = False,
) -> mx.array:
    """x / (k + alpha / size * sum of squares) ** beta, the sum over the channels around, in float32 whatever the dtype.

    The window of channel c reaches from c - size // 2 to c + (size - 1) // 2, as Apple documents it for
    MPSCNNCrossChannelNormalization and as PyTorch has it. Only of four axes: of three, coremltools' documentation has
    the channels second, and its test expects of Core ML that they are first.
    """
    if x.ndim != 4:
        raise NotCovered(f"local_response_norm (x with {x.ndim} axes)")
    axis = x.ndim - 1 if channels_last else 1
    channels = x.shape[axis]
    before, after = min(size // 2, channels - 1), min((size - 1) // 2, channels - 1)
    pads = [(0, 0)] * x.ndim
    pads[axis] = (before, after)
    wide = x.astype(mx.float32)
    squares = mx.pad(mx.square(wide), pads)
    index = [slice(None)] * x.ndim
    index[axis] = slice(channels)
    total = squares[tuple(index)]
    for first in range(1, before + after + 1):
        index[axis] = slice(first, first + channels)
        total = total + squares[tuple(index)]
    base = k + (alpha / size) * total
    if beta == 0.75:
        # the usual exponent by two roots: half the time that a power takes on the CPU
        root = mx.rsqrt(base)
        return (wide * root * mx.sqrt(root)).astype(x.dtype)
    return (wide * mx.power(base, -beta)).astype(x.dtype)


def _standardise(
    x: mx.array, axes: tuple[int, ...], epsilon: float, gamma: mx.array | None, beta: mx.array | None
) -> mx.array:
    """In float32 whatever the dtype: a sum of squares leaves the range of float16 early."""
    wide = x.astype(mx.float32)
    centred = wide - mx.mean(wide, axis=axes, keepdims=True)
    y = centred * mx.rsqrt(mx.mean(mx.square(centred), axis=axes, keepdims=True) + epsilon)
    if gamma is not None:
        y = y * gamma
    if beta is not None:
        y = y + beta
    return y.astype(x.dtype)
