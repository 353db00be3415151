"""MIL family `reduction`: over `axes` (default all), which stay with size 1 when `keep_dims`."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers
from app.compiler.ops.types import mlx_dtype


@lowers("reduce_mean", axes=Axes.NAMED)
def reduce_mean(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Mean, summed in float32 whatever the dtype: 7 × 7 halves already lose digits that labels depend on."""
    return mx.mean(x.astype(mx.float32), axis=axes, keepdims=keep_dims).astype(x.dtype)


@lowers("reduce_sum", axes=Axes.NAMED)
def reduce_sum(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Sum."""
    return mx.sum(x, axis=axes, keepdims=keep_dims)


@lowers("reduce_max", axes=Axes.NAMED)
def reduce_max(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Largest value."""
    return mx.max(x, axis=axes, keepdims=keep_dims)


@lowers("reduce_min", axes=Axes.NAMED)
def reduce_min(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Smallest value."""
    return mx.min(x, axis=axes, keepdims=keep_dims)


@lowers("reduce_prod", axes=Axes.NAMED)
def reduce_prod(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Product."""
    return mx.prod(x, axis=axes, keepdims=keep_dims)


@lowers("reduce_sum_square", axes=Axes.NAMED)
def reduce_sum_square(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Sum of squares."""
    return mx.sum(mx.square(x), axis=axes, keepdims=keep_dims)


@lowers("reduce_l1_norm", axes=Axes.NAMED)
def reduce_l1_norm(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Sum of magnitudes."""
    return mx.sum(mx.abs(x), axis=axes, keepdims=keep_dims)


@lowers("reduce_l2_norm", axes=Axes.NAMED)
def reduce_l2_norm(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Square root of the sum of squares."""
    return mx.sqrt(mx.sum(mx.square(x), axis=axes, keepdims=keep_dims))


@lowers("reduce_log_sum", axes=Axes.NAMED)
def reduce_log_sum(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Natural logarithm of the sum."""
    return mx.log(mx.sum(x, axis=axes, keepdims=keep_dims))


@lowers("reduce_log_sum_exp", axes=Axes.NAMED)
def reduce_log_sum_exp(x: mx.array, *, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> mx.array:
    """Natural logarithm of the sum of e^x, without overflow."""
    return mx.logsumexp(x, axis=axes, keepdims=keep_dims)


@lowers("reduce_argmax", axes=Axes.NAMED)
def reduce_argmax(x: mx.array, *, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> mx.array:
    """Index of the largest value, the first one of equals."""
    return mx.argmax(x, axis=axis, keepdims=keep_dims).astype(mlx_dtype(output_dtype))


@lowers("reduce_argmin", axes=Axes.NAMED)
def reduce_argmin(x: mx.array, *, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> mx.array:
    """Index of the smallest value, the first one of equals."""
    return mx.argmin(x, axis=axis, keepdims=keep_dims).astype(mlx_dtype(output_dtype))
