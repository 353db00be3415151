"""MIL family `quantization` (iOS 17): activations as 8-bit whole numbers. Constants are expanded in constexpr.py."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import lowers
from app.compiler.ops.types import Wide, mlx_dtype


@lowers("quantize")
def quantize(
    input: mx.array,
    *,
    scale: Wide,
    output_dtype: str,
    zero_point: mx.array | None = None,
    axis: int | None = None,
) -> mx.array:
    """round(input / scale) + zero_point as int8 or uint8, limited to its range; halves go to even."""
    y = mx.round(input.astype(mx.float32) / _along(scale, input.ndim, axis))
    if zero_point is not None:
        y = y + _along(zero_point, input.ndim, axis).astype(mx.float32)
    dtype = mlx_dtype(output_dtype)
    low, high = (-128, 127) if dtype == mx.int8 else (0, 255)
    return mx.clip(y, low, high).astype(dtype)


@lowers("dequantize")
def dequantize(
    input: mx.array, *, scale: mx.array, zero_point: mx.array | None = None, axis: int | None = None
) -> mx.array:
    """(input - zero_point) * scale, computed in float32, in the type of `scale`."""
    y = input.astype(mx.float32)
    if zero_point is not None:
        y = y - _along(zero_point, input.ndim, axis).astype(mx.float32)
    return (y * _along(scale, input.ndim, axis).astype(mx.float32)).astype(scale.dtype)


def _along(numbers: mx.array, rank: int, axis: int | None) -> mx.array:
    """One number for all, or one for each place on `axis`."""
    if axis is None or numbers.ndim == 0:
        return numbers
    shape = [1] * rank
    shape[axis] = -1
    return numbers.reshape(shape)
