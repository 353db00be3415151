"""Multiply-adds of a program, from the shapes that it declares."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from app.compiler.program import Argument, Operation, Program, Value


def multiply_adds(program: Program) -> int:
    """Products in convolutions, matrix products and attention for one run at the declared shapes.

    Element-wise work is not counted, as is usual for the figure that papers call MACs or, loosely, FLOPs.
    """
    return sum(_RULES[operation.kind](operation) for operation in program.operations if operation.kind in _RULES)


def _shape(argument: Argument) -> tuple[int, ...]:
    return argument.shape if isinstance(argument, Value) else tuple(np.shape(argument))  # type: ignore[arg-type]


def _conv(operation: Operation) -> int:
    """Each output is a sum over a window of its group's channels."""
    return prod(operation.output.shape) * prod(_shape(operation.inputs["weight"])[1:])


def _conv_transpose(operation: Operation) -> int:
    """Each input goes into a window of outputs. weight: I, O / groups, *kernel."""
    return prod(_shape(operation.inputs["x"])) * prod(_shape(operation.inputs["weight"])[1:])


def _linear(operation: Operation) -> int:
    return prod(operation.output.shape) * _shape(operation.inputs["weight"])[-1]


def _matmul(operation: Operation) -> int:
    x = _shape(operation.inputs["x"])
    turned = bool(operation.inputs.get("transpose_x")) and len(x) > 1
    return prod(operation.output.shape) * x[-2 if turned else -1]


def _einsum(operation: Operation) -> int:
    """Every letter runs once through its range."""
    left = str(operation.inputs["equation"]).split("->")[0].split(",")
    values = operation.inputs["values"]
    assert isinstance(values, tuple)
    sizes = {
        letter: size
        for part, value in zip(left, values, strict=True)
        for letter, size in zip(part.strip(), _shape(value), strict=False)
    }
    return prod(sizes.values())


def _attention(operation: Operation) -> int:
    """q · kᵀ, then weights · v."""
    query, key, value = (_shape(operation.inputs[name]) for name in ("query", "key", "value"))
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


_RULES: dict[str, Callable[[Operation], int]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "linear": _linear,
    "matmul": _matmul,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
}
