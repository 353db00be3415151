"""MIL family `elementwise_binary`: x and y broadcast; the result has their type, or bool for comparisons.

MIL gives these operations fp16, fp32 and int32, and wants both sides alike; a file that mixes them has casts between.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers

_SAME_NAME: dict[str, Callable[..., mx.array]] = {
    "add": mx.add,
    "sub": mx.subtract,
    "mul": mx.multiply,
    "maximum": mx.maximum,
    "minimum": mx.minimum,
    "equal": mx.equal,
    "not_equal": mx.not_equal,
    "greater": mx.greater,
    "greater_equal": mx.greater_equal,
    "less": mx.less,
    "less_equal": mx.less_equal,
    "logical_and": mx.logical_and,
    "logical_or": mx.logical_or,
    "logical_xor": mx.not_equal,
    "mod": mx.remainder,
}
"""MIL name -> the MLX function that does just that. The remainder has the sign of y, as in Python."""


def _register() -> None:
    for kind, function in _SAME_NAME.items():

        def binary(x: mx.array, y: mx.array, _function=function) -> mx.array:  # type: ignore[no-untyped-def]
            return _function(x, y)

        lowers(kind, axes=Axes.ELEMENTWISE)(binary)


_register()


@lowers("pow", axes=Axes.ELEMENTWISE)
def power(x: mx.array, y: mx.array) -> mx.array:
    """x to the power of y. Of whole numbers, what is left of the point: 2 to the power of -1 is 0."""
    if mx.issubdtype(x.dtype, mx.floating):
        return mx.power(x, y)
    # MLX does not return from a whole number to a negative power.
    whole = mx.power(x, mx.maximum(y, 0))
    inverse = mx.where(mx.abs(x) == 1, mx.where(y % 2 == 0, 1, x), 0)
    return mx.where(y < 0, inverse, whole).astype(x.dtype)


@lowers("floor_div", axes=Axes.ELEMENTWISE)
def floor_div(x: mx.array, y: mx.array) -> mx.array:
    """x / y, rounded down."""
    if mx.issubdtype(x.dtype, mx.floating):
        return mx.floor_divide(x, y)
    # With nothing left over it does not matter how a device rounds whole numbers.
    return mx.floor_divide(x - mx.remainder(x, y), y)


@lowers("real_div", axes=Axes.ELEMENTWISE)
def real_div(x: mx.array, y: mx.array) -> mx.array:
    """x / y. Of whole numbers, rounded towards zero: an ML Program divides int32 by int32 to int32.

    Source: coremltools, mil/ops/tests/iOS14/test_elementwise_binary.py, test_real_div_int_builder_to_backend.
    """
    if mx.issubdtype(x.dtype, mx.floating):
        return x / y
    down = floor_div(x, y)
    return mx.where((down < 0) & (down * y != x), down + 1, down).astype(x.dtype)


@lowers("select", axes=Axes.ELEMENTWISE)
def select(cond: mx.array, a: mx.array, b: mx.array) -> mx.array:
    """a where cond, else b."""
    return mx.where(cond, a, b)
