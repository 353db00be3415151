"""What the rules of `rules.py` and `products.py` are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from app.compiler.passes.lanes.in_lanes import SMALLEST, Plan, part_of
from app.compiler.program import Argument, Operation, Value


def elements(*values: Value) -> int:
    """How many the largest of them has."""
    return max((math.prod(value.shape) for value in values), default=0)


def worth(operation: Operation) -> bool:
    """Whether cutting it pays."""
    return elements(*operation.outputs, *operation.values()) >= SMALLEST


def axis_of(value: Value | None, plan: Plan, barred: Iterable[int] = ()) -> int | None:
    """The axis along which the value is cut already, or the first that can be: its parts lie in one stretch."""
    if value is None:
        return None
    parts = plan.parts.get(value.name)
    if parts and parts.axis not in barred:
        return parts.axis
    return next((axis for axis, size in enumerate(value.shape) if size >= plan.lanes and axis not in barred), None)


def bounds_of(value: Value, axis: int, plan: Plan, elements: int) -> tuple[int, ...]:
    """Where to cut along the axis, for a result of so many elements."""
    parts = plan.parts.get(value.name)
    if parts and parts.axis == axis:
        return plan.finer(parts.bounds, elements)
    return plan.bounds(value.shape[axis], elements)


def along(
    operation: Operation,
    plan: Plan,
    bounds: tuple[int, ...],
    arguments: Callable[[int, int, int], dict[str, Argument]],
    out_axis: int,
) -> bool:
    """The operation once a part; `arguments(start, stop, lane)` are its inputs for that stretch.

    The outputs are cut along `out_axis` in the same places.
    """
    parts = len(bounds) - 1
    pieces = [tuple(part_of(value, out_axis, *ends) for value in operation.outputs) for ends in pairwise(bounds)]
    for part in plan.in_turns(parts):
        lane, start, stop = plan.lane(part, parts), bounds[part], bounds[part + 1]
        inputs = {**operation.inputs, **arguments(start, stop, lane)}
        plan.append(operation.kind, inputs, pieces[part], lane)
    for value, own in zip(operation.outputs, zip(*pieces, strict=True), strict=True):
        plan.give(value, out_axis, own)
    return True


def only_x(
    operation: Operation, plan: Plan, barred: Iterable[int], out_axis: Callable[[int], int] = lambda axis: axis
) -> bool:
    """For operations that look at `barred` axes of x alone; along any other they do the same to each part."""
    x = operation.value("x")
    axis = axis_of(x, plan, barred) if worth(operation) else None
    if x is None or axis is None or any(v.name != x.name for v in operation.values()):
        return False
    bounds = bounds_of(x, axis, plan, elements(*operation.outputs))
    return along(
        operation,
        plan,
        bounds,
        lambda start, stop, lane: {"x": plan.piece(x, axis, start, stop, lane)},
        out_axis(axis),
    )


def rank_of_x(operation: Operation) -> int:
    """How many axes the input x has; 0 when no operation makes it."""
    x = operation.value("x")
    return len(x.shape) if x else 0


def added(plan: Plan, terms: list[Value], out: Value) -> None:
    """`out` is the sum of the terms."""
    total = terms[0]
    for i, term in enumerate(terms[1:], start=2):
        next_total = out if i == len(terms) else Value(f"{out.name} sum of {i} lanes", out.shape, out.dtype)
        plan.append("add", {"x": total, "y": term}, (next_total,), 0)
        total = next_total
    plan.known(out)
