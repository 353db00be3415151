"""MIL family `linear`."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import lowers


@lowers("linear")
def linear(x: mx.array, *, weight: mx.array, bias: mx.array | None = None) -> mx.array:
    """x · weightᵀ + bias. x: …, I; weight: O, I; bias: O, or one value for all."""
    product = x @ weight.T
    return product if bias is None else product + bias


@lowers("matmul")
def matmul(x: mx.array, y: mx.array, *, transpose_x: bool = False, transpose_y: bool = False) -> mx.array:
    """Matrix product of the last two axes, leading axes broadcast; a vector is a row (x) or a column (y)."""
    if transpose_x and x.ndim > 1:
        x = x.swapaxes(-1, -2)
    if transpose_y and y.ndim > 1:
        y = y.swapaxes(-1, -2)
    return x @ y
