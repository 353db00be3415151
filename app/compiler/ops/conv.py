"""MIL family `conv`, by MLX's own convolution: right everywhere, fast on a GPU.

On the CPU `passes/cpu_routes.py` replaces what matrix products do better (`ops/conv_cpu.py`).
"""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers
from app.compiler.padding import resolve


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
    """Convolution over 1 to 3 spatial axes. weight: O, I/groups, *kernel; with `channels_last` O, *kernel, I/groups."""
    if not channels_last:
        x, weight = mx.moveaxis(x, 1, -1), mx.moveaxis(weight, 1, -1)
    size, kernel = x.shape[1:-1], weight.shape[1:-1]
    ones = (1,) * len(size)
    strides, dilations = strides or ones, dilations or ones
    pads = resolve(pad_type, pad, size, kernel, strides, dilations)
    y = mx.conv_general(
        x,
        weight,
        stride=list(strides),
        padding=([before for before, _ in pads], [after for _, after in pads]),
        kernel_dilation=list(dilations),
        groups=groups,
    )
    if bias is not None:
        y = y + bias
    return y if channels_last else mx.moveaxis(y, -1, 1)
