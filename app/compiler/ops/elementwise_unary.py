"""MIL family `elementwise_unary`. Every result has the shape of x."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers
from app.compiler.ops.types import mlx_dtype

_SAME_NAME: dict[str, Callable[..., mx.array]] = {
    "abs": mx.abs,
    "acos": mx.arccos,
    "asin": mx.arcsin,
    "atan": mx.arctan,
    "atanh": mx.arctanh,
    "ceil": mx.ceil,
    "cos": mx.cos,
    "cosh": mx.cosh,
    "erf": mx.erf,
    "exp": mx.exp,
    "floor": mx.floor,
    "logical_not": mx.logical_not,
    "sign": mx.sign,
    "sin": mx.sin,
    "sinh": mx.sinh,
    "sqrt": mx.sqrt,
    "square": mx.square,
    "tan": mx.tan,
    "tanh": mx.tanh,
}
"""MIL name -> the MLX function that does just that."""


def _register() -> None:
    for kind, function in _SAME_NAME.items():

        def unary(x: mx.array, _function=function) -> mx.array:  # type: ignore[no-untyped-def]
            return _function(x)

        lowers(kind, axes=Axes.ELEMENTWISE)(unary)


_register()


@lowers("cast", axes=Axes.ELEMENTWISE)
def cast(x: mx.array, *, dtype: str) -> mx.array:
    """x in another type; to int truncates towards zero."""
    return x.astype(mlx_dtype(dtype))


@lowers("identity", axes=Axes.ELEMENTWISE)
def identity(x: mx.array) -> mx.array:
    """x."""
    return x


@lowers("clip", axes=Axes.ELEMENTWISE)
def clip(x: mx.array, *, alpha: float, beta: float) -> mx.array:
    """x limited to [alpha, beta]; a NaN stays one."""
    return mx.minimum(mx.maximum(x, alpha), beta)


@lowers("threshold", axes=Axes.ELEMENTWISE)
def threshold(x: mx.array, *, alpha: float) -> mx.array:
    """max(x, alpha)."""
    return mx.maximum(x, alpha)


@lowers("exp2", axes=Axes.ELEMENTWISE)
def exp2(x: mx.array) -> mx.array:
    """2 to the power of x, in the dtype of x; of whole numbers, what is left of the point."""
    two = mx.array(2, dtype=x.dtype)
    if mx.issubdtype(x.dtype, mx.floating):
        return mx.power(two, x)
    # MLX does not return from a whole number to a negative power.
    return mx.where(x < 0, mx.zeros_like(x), mx.power(two, mx.maximum(x, 0)))


@lowers("inverse", axes=Axes.ELEMENTWISE)
def inverse(x: mx.array, *, epsilon: float = 1e-4) -> mx.array:
    """1 / (x + epsilon)."""
    return 1 / (x + epsilon)


@lowers("log", axes=Axes.ELEMENTWISE)
def log(x: mx.array, *, epsilon: float = 1e-45) -> mx.array:
    """Natural logarithm of x + epsilon."""
    return mx.log(x + epsilon)


@lowers("rsqrt", axes=Axes.ELEMENTWISE)
def rsqrt(x: mx.array, *, epsilon: float = 1e-12) -> mx.array:
    """1 / sqrt(x + epsilon)."""
    return mx.rsqrt(x + epsilon)


@lowers("round", axes=Axes.ELEMENTWISE)
def round_(x: mx.array) -> mx.array:
    """The nearest whole number, halves to even."""
    return mx.round(x)
