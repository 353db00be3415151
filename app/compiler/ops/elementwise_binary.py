"""MIL family `elementwise_binary`: x and y broadcast; the result has their type, or bool for comparisons."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers

_SAME_NAME: dict[str, Callable[..., mx.array]] = {
    "add": mx.add,
    "sub": mx.subtract,
    "mul": mx.multiply,
    "maximum": mx.maximum,
    "minimum": mx.minimum,
    "pow": mx.power,
    "equal": mx.equal,
    "not_equal": mx.not_equal,
    "greater": mx.greater,
    "greater_equal": mx.greater_equal,
    "less": mx.less,
    "less_equal": mx.less_equal,
    "logical_and": mx.logical_and,
    "logical_or": mx.logical_or,
    "logical_xor": mx.not_equal,
    "floor_div": mx.floor_divide,
    "mod": mx.remainder,
}
"""MIL name -> the MLX function that does just that. Division and remainder round down, as in Python."""


def _register() -> None:
    for kind, function in _SAME_NAME.items():

        def binary(x: mx.array, y: mx.array, _function=function) -> mx.array:  # type: ignore[no-untyped-def]
            return _function(x, y)

        lowers(kind, axes=Axes.ELEMENTWISE)(binary)


_register()


@lowers("real_div", axes=Axes.ELEMENTWISE)
def real_div(x: mx.array, y: mx.array) -> mx.array:
    """x / y. Whole numbers are refused: Core ML does not say how they round."""
    if not mx.issubdtype(x.dtype, mx.floating):
        raise NotCovered("real_div (int32)")
    return x / y


@lowers("select", axes=Axes.ELEMENTWISE)
def select(cond: mx.array, a: mx.array, b: mx.array) -> mx.array:
    """a where cond, else b."""
    return mx.where(cond, a, b)
