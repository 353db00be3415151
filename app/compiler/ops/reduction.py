"""MIL family `reduction`: over `axes` (default all), which stay with size 1 when `keep_dims`.

Sums and products of floats are formed in float32 whatever the dtype, for a sum of halves loses digits early (7 × 7
already shows) and leaves their range on the way to a root or logarithm that is back inside. Whole numbers stay whole.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers
from app.compiler.ops.types import mlx_dtype

_Reduce = Callable[..., mx.array]


def _mean(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.mean(x.astype(mx.float32), axis=axis, keepdims=keepdims)


def _sum_square(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.sum(mx.square(x), axis=axis, keepdims=keepdims)


def _l1_norm(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.sum(mx.abs(x), axis=axis, keepdims=keepdims)


def _l2_norm(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.sqrt(_sum_square(x, axis, keepdims))


def _log_sum(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.log(mx.sum(x, axis=axis, keepdims=keepdims))


def _log_sum_exp(x: mx.array, axis: tuple[int, ...] | None, keepdims: bool) -> mx.array:
    return mx.logsumexp(x.astype(mx.float32), axis=axis, keepdims=keepdims)


_WIDE: dict[str, _Reduce] = {
    "reduce_mean": _mean,
    "reduce_sum": mx.sum,
    "reduce_prod": mx.prod,
    "reduce_sum_square": _sum_square,
    "reduce_l1_norm": _l1_norm,
    "reduce_l2_norm": _l2_norm,
    "reduce_log_sum": _log_sum,
    "reduce_log_sum_exp": _log_sum_exp,
}
"""MIL name -> the reduction, given floats as float32. The result goes back to the dtype of x, cut off when that is
whole."""

_PICKING: dict[str, _Reduce] = {"reduce_max": mx.max, "reduce_min": mx.min}
"""Those that give one of the values, in any dtype."""


def _register() -> None:
    for kind, function in (*_WIDE.items(), *_PICKING.items()):

        def reduction(  # type: ignore[no-untyped-def]
            x: mx.array,
            *,
            axes: tuple[int, ...] | None = None,
            keep_dims: bool = False,
            _function=function,
            _widen=kind in _WIDE,
        ) -> mx.array:
            wide = x.astype(mx.float32) if _widen and mx.issubdtype(x.dtype, mx.floating) else x
            return _function(wide, axis=axes, keepdims=keep_dims).astype(x.dtype)

        lowers(kind, axes=Axes.NAMED)(reduction)


_register()


@lowers("reduce_argmax", axes=Axes.NAMED)
def reduce_argmax(x: mx.array, *, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> mx.array:
    """Index of the largest value; of equals the first one, on the CPU. MIL leaves open which."""
    return mx.argmax(x, axis=axis, keepdims=keep_dims).astype(mlx_dtype(output_dtype))


@lowers("reduce_argmin", axes=Axes.NAMED)
def reduce_argmin(x: mx.array, *, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> mx.array:
    """Index of the smallest value; of equals the first one, on the CPU. MIL leaves open which."""
    return mx.argmin(x, axis=axis, keepdims=keep_dims).astype(mlx_dtype(output_dtype))
