"""What stands in the program and does nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.compiler.program import Argument, Operation, Program, Value

_SAME_SHAPE_SAME_NUMBERS = frozenset(("identity", "cast", "reshape", "slice_by_size", "tile", "crop"))
"""Operations that give x itself where they give the shape and type of x."""

_NEUTRAL = {"add": 0, "sub": 0, "mul": 1, "real_div": 1, "pow": 1}
"""Operations that give x itself where y is this number everywhere."""


def drop_identities(program: Program) -> Program:
    """Before: x cast to the type or reshaped to the shape that it has, x + 0, all of x sliced … After: x itself.

    coremltools' noop_elimination is not used for it: it takes floor_div(x, 1) and upsampling that only moves the
    samples for nothing (seen with 9.0).
    """
    renamed: dict[str, Argument] = {}
    kept = []
    for operation in program.operations:
        operation = operation.reading(renamed)
        same = _unchanged(operation)
        if same:
            renamed[operation.output.name] = same
        else:
            kept.append(operation)
    return with_renamed_outputs(replace(program, operations=tuple(kept)), renamed)


def drop_unread(program: Program) -> Program:
    """Before: operations whose results nothing reads. After: without them."""
    needed = {value.name for _, value in program.outputs}
    kept = []
    for operation in reversed(program.operations):
        if any(value.name in needed for value in operation.outputs):
            needed.update(value.name for value in operation.values())
            kept.append(operation)
    return replace(program, operations=tuple(reversed(kept)))


def with_renamed_outputs(program: Program, renamed: dict[str, Argument]) -> Program:
    """The program giving `renamed[v.name]` where it gave v."""
    outputs = []
    for name, value in program.outputs:
        other = renamed.get(value.name, value)
        assert isinstance(other, Value)
        outputs.append((name, other))
    return replace(program, outputs=tuple(outputs))


def _unchanged(operation: Operation) -> Value | None:
    """What the operation reads and gives as it is; None when it does something."""
    if len(operation.outputs) != 1:
        return None
    shape, dtype = operation.output.shape, operation.output.dtype
    for name, other in (("x", "y"), ("y", "x")):
        value = operation.value(name)
        if value and (value.shape, value.dtype) == (shape, dtype) and _keeps(operation, name, other):
            return value
    return None


def _keeps(operation: Operation, name: str, other: str) -> bool:
    """Whether the input of that name, which has the shape of the result, comes out as it is."""
    kind = operation.kind
    if kind in _NEUTRAL and (name == "x" or kind in ("add", "mul")):
        constant = operation.constant(other)
        return constant is not None and bool(np.all(constant == _NEUTRAL[kind]))
    if kind == "slice_by_index":
        return all(stride > 0 for stride in operation.numbers("stride"))
    if kind == "transpose":
        rank = len(operation.output.shape)
        return [axis % rank for axis in operation.numbers("perm")] == list(range(rank))
    return kind in _SAME_SHAPE_SAME_NUMBERS or (kind == "pad" and not any(operation.numbers("pad")))
