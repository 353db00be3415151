"""MIL family `conv`, by MLX's own convolution: right everywhere, fast on a GPU.

On the CPU `passes/cpu_routes.py` replaces what matrix products do better (`ops/conv_cpu.py`).
"""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers
from app.compiler.padding import Pads, resolve


@lowers("conv", axes=Axes.SPATIAL)
def conv(
    x: mx.array,
    *,
    weight: mx.array,
    bias: mx.array | None = None,
    strides: tuple[int, ...] = (),
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    dilations: tuple[int, ...] = (),
    groups: int = 1,
    channels_last: bool = False,
) -> mx.array:
    """Convolution over 1 to 3 spatial axes. weight: O, I/groups, *kernel; with `channels_last` O, *kernel, I/groups.

    Computed in the type of x; weight and bias, which may come at run time, may have another (iOS 17).
    """
    if not channels_last:
        x, weight = mx.moveaxis(x, 1, -1), mx.moveaxis(weight, 1, -1)
    size, kernel = x.shape[1:-1], weight.shape[1:-1]
    ones = (1,) * len(size)
    strides, dilations = strides or ones, dilations or ones
    pads = resolve(pad_type, pad, size, kernel, strides, dilations)
    convolved = _by_slices if len(size) == 3 and groups > 1 else _convolved
    y = convolved(x, weight.astype(x.dtype), strides, pads, dilations, groups)
    if bias is not None:
        y = y + bias.astype(y.dtype)
    return y if channels_last else mx.moveaxis(y, -1, 1)


def _convolved(
    x: mx.array, weight: mx.array, strides: tuple[int, ...], pads: Pads, dilations: tuple[int, ...], groups: int
) -> mx.array:
    return mx.conv_general(
        x,
        weight,
        stride=list(strides),
        padding=([before for before, _ in pads], [after for _, after in pads]),
        kernel_dilation=list(dilations),
        groups=groups,
    )


def _by_slices(
    x: mx.array, weight: mx.array, strides: tuple[int, ...], pads: Pads, dilations: tuple[int, ...], groups: int
) -> mx.array:
    """Three axes with groups, which MLX's convolution does not take: a sum of convolutions over the last two.

    Each element of the kernel's depth sees every slice of x that it meets as one more image.
    """
    n, _, *size = x.shape
    x = mx.pad(x, [(0, 0), pads[0], (0, 0), (0, 0), (0, 0)])
    slices = (x.shape[1] - (weight.shape[1] - 1) * dilations[0] - 1) // strides[0] + 1
    total: mx.array | None = None
    for tap in range(weight.shape[1]):
        first = tap * dilations[0]
        met = x[:, first : first + (slices - 1) * strides[0] + 1 : strides[0]].reshape(n * slices, *size)
        part = _convolved(met, weight[:, tap], strides[1:], pads[1:], dilations[1:], groups).astype(mx.float32)
        total = part if total is None else total + part
    assert total is not None, "a kernel has at least one element"
    return total.reshape(n, slices, *total.shape[1:]).astype(x.dtype)


@lowers("conv_quantized", axes=Axes.SPATIAL)
def conv_quantized(
    x: mx.array,
    *,
    weight: mx.array,
    quant_scale: mx.array,
    quant_bias: mx.array,
    quantization_type: str,
    nbits: int = 8,
    bias: mx.array | None = None,
    strides: tuple[int, ...] = (),
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    dilations: tuple[int, ...] = (),
    groups: int = 1,
    channels_last: bool = False,
) -> mx.array:
    """Convolution with the weights weight · quant_scale + quant_bias, these two one number for all or one an output."""
    if quantization_type != "linear" or nbits != 8:
        # How fewer bits or a table would be packed is written nowhere.
        raise NotCovered(f"conv_quantized (quantization_type={quantization_type}, nbits={nbits})")
    column = (-1, *(1,) * (weight.ndim - 1))
    wide = weight.astype(mx.float32) * quant_scale.reshape(column) + quant_bias.reshape(column)
    return conv(
        x,
        weight=wide,
        bias=bias,
        strides=strides,
        pad_type=pad_type,
        pad=pad,
        dilations=dilations,
        groups=groups,
        channels_last=channels_last,
    )
