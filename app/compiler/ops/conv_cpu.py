"""Convolutions as matrix products, the only thing that is fast on MLX's CPU back end.

MLX's own convolution is a scalar loop there for grouped ones and copies the weights of every call for the others, and
element-wise work runs on one thread at about two elements a nanosecond, so that a depthwise 3 × 3 of 17 passes costs as
much as 400 multiply-adds an element inside a matrix product. Everything here is N, C, space: a pointwise convolution is
W · X with rows of pixels, and no axis has to move. `passes/cpu_routes.py` chooses and prepares the weights.

EfficientNet-Lite0 (fp32, batch 1, OpenBLAS with two threads): 225 ms with MLX's convolution, 34 ms with these, 22 ms
where `passes/lanes/in_lanes.py` gives each of two threads its own part. Tried and left: a depthwise 3 × 3 as nine
shifted products and sums took twice as long as band matrices; matrices over whole rows, which need no border, are
quicker by themselves, but so much larger that nothing was gained; border and bias taken before the expansion saved 6
%.
"""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers


@lowers("pointwise_conv", axes=Axes.SPATIAL)
def pointwise_conv(x: mx.array, *, weight: mx.array, bias: mx.array | None = None) -> mx.array:
    """A 1 × 1 convolution. weight: O, I; bias: O, 1."""
    n, channels, *size = x.shape
    y = weight @ x.reshape(n, channels, -1)
    if bias is not None:
        y = y + bias
    return y.reshape(n, -1, *size)


@lowers("unfolded_conv", axes=Axes.SPATIAL)
def unfolded_conv(
    x: mx.array,
    *,
    weight: mx.array,
    bias: mx.array | None = None,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    pad: tuple[int, ...],
    groups: int,
) -> mx.array:
    """A convolution whose windows are copied out as columns. weight: G, O/G, I/G · kH · kW; bias: O, 1."""
    x = _bordered(x, pad)
    n, channels, height, width = x.shape
    out_h = (height - (kernel[0] - 1) * dilations[0] - 1) // strides[0] + 1
    out_w = (width - (kernel[1] - 1) * dilations[1] - 1) // strides[1] + 1
    columns = _gathered(
        mx.as_strided(
            x,
            (n, channels, *kernel, out_h, out_w),
            (
                channels * height * width,
                height * width,
                dilations[0] * width,
                dilations[1],
                strides[0] * width,
                strides[1],
            ),
        )
    ).reshape(n, groups, -1, out_h * out_w)
    y = (weight @ columns).reshape(n, -1, out_h * out_w)
    if bias is not None:
        y = y + bias
    return y.reshape(n, -1, out_h, out_w)


@lowers("banded_conv", axes=Axes.SPATIAL)
def banded_conv(
    x: mx.array,
    *,
    bands: mx.array,
    bias: mx.array | None = None,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pad: tuple[int, ...],
    tiles: int,
) -> mx.array:
    """A depthwise convolution as one matrix product a channel.

    A row of outputs is cut into `tiles`; the window of a tile, kH rows of `reach` pixels, times the channel's band
    matrix gives all its outputs at once. bands: C, kH · reach, outputs of a tile. bias: C, 1, 1.
    """
    x = _bordered(x, pad)
    n, channels, height, width = x.shape
    tile = bands.shape[-1]
    reach = (tile - 1) * strides[1] + kernel[1]
    out_h = (height - kernel[0]) // strides[0] + 1
    windows = _gathered(
        mx.as_strided(
            x,
            (n, channels, out_h, tiles, kernel[0], reach),
            (channels * height * width, height * width, strides[0] * width, strides[1] * tile, width, 1),
        )
    ).reshape(n, channels, out_h * tiles, -1)
    y = (windows @ bands).reshape(n, channels, out_h, tiles * tile)
    return y if bias is None else y + bias


def _gathered(view: mx.array) -> mx.array:
    """The view in memory of its own.

    MLX copies one element after the other; an addition takes whole rows at once from 16 elements on, so that adding
    zero is two to three times as fast.
    """
    if view.shape[-1] < 16 or view.dtype != mx.float32:
        return view
    return view + mx.array(0.0)


def _bordered(x: mx.array, pad: tuple[int, ...]) -> mx.array:
    """x with zeros around its last two axes. `as_strided` counts in rows without gaps, so the result has none."""
    if any(pad):
        return mx.pad(x, [(0, 0), (0, 0), (pad[0], pad[1]), (pad[2], pad[3])])
    return x.reshape(x.shape)
