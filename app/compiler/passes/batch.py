"""A program written for one image runs on N."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from app.compiler.ops.registry import TABLE, Axes
from app.compiler.program import Operation, Program, Value


def free_batch(program: Program) -> Program:
    """Before: sizes of the first axis stand in shapes and slices. After: they follow the input, `batch_free` is true.

    A value is *stacked* when its first axis holds one block an image, one after the other. The walk proves for every
    operation that stacked inputs give a stacked result; where it cannot, the program comes back as it was, and N images
    are run one by one.
    """
    stacked = {value.name for value in program.inputs}
    operations = []
    for operation in program.operations:
        if any(value.name in stacked for value in operation.values()):
            freed = _freed(operation, stacked)
            if freed is None:
                return program
            operation = freed
            stacked.update(value.name for value in operation.outputs)
        operations.append(operation)
    if any(value.name not in stacked for _, value in program.outputs):
        return program
    return replace(program, operations=tuple(operations), batch_free=True)


def _freed(operation: Operation, stacked: set[str]) -> Operation | None:
    """The operation for any number of blocks, or None when it mixes them (or is not known not to)."""
    rule = _RULES.get(operation.kind) or _BY_AXES.get(TABLE[operation.kind].axes)
    return rule(operation, stacked) if rule else None


def _elementwise(operation: Operation, stacked: set[str]) -> Operation | None:
    first, rank = operation.output.shape[:1], len(operation.output.shape)
    for argument in operation.inputs.values():
        if isinstance(argument, Value) and argument.name in stacked:
            if len(argument.shape) != rank or argument.shape[:1] != first:
                return None
        elif isinstance(argument, Value | np.ndarray) and len(argument.shape) == rank and argument.shape[:1] != (1,):
            return None
    return operation


def _spatial(operation: Operation, stacked: set[str]) -> Operation | None:
    return operation if _only(operation, stacked, "x") else None


def _named(operation: Operation, stacked: set[str]) -> Operation | None:
    if "values" in operation.inputs:
        values = operation.inputs["values"]
        assert isinstance(values, tuple)
        if not all(isinstance(v, Value) and v.name in stacked and v.shape[:1] == values[0].shape[:1] for v in values):
            return None
        rank = len(values[0].shape)
    elif _only(operation, stacked, "x"):
        rank = _rank(operation)
    else:
        return None
    axes = operation.inputs.get("axes", operation.inputs.get("axis"))
    if axes is None or 0 in [int(axis) % rank for axis in np.ravel(axes)]:  # type: ignore[arg-type]
        return None
    return operation


def _as_reshape(operation: Operation, stacked: set[str]) -> Operation | None:
    """Row-major order keeps each image's numbers together, so the first axis of the result holds the blocks."""
    if not operation.output.shape:
        return None
    shape = np.array([-1, *operation.output.shape[1:]])
    return Operation("reshape", {"x": operation.inputs["x"], "shape": shape}, operation.outputs)


def _transpose(operation: Operation, stacked: set[str]) -> Operation | None:
    return operation if int(_numbers(operation, "perm")[0]) % _rank(operation) == 0 else None


def _linear(operation: Operation, stacked: set[str]) -> Operation | None:
    return operation if _only(operation, stacked, "x") and _rank(operation) > 1 else None


def _matmul(operation: Operation, stacked: set[str]) -> Operation | None:
    x, y = operation.inputs["x"], operation.inputs["y"]
    assert isinstance(x, Value | np.ndarray)
    assert isinstance(y, Value | np.ndarray)
    x_stacked, y_stacked = (isinstance(v, Value) and v.name in stacked for v in (x, y))
    rank = len(operation.output.shape)
    if x_stacked and not y_stacked and rank == 2 and len(y.shape) == 2:
        return None if operation.inputs.get("transpose_x") else operation
    for one, is_stacked in ((x, x_stacked), (y, y_stacked)):
        if is_stacked and (len(one.shape) != rank or rank < 3):
            return None
        if not is_stacked and len(one.shape) == rank and one.shape[0] != 1:
            return None
    return operation if not (x_stacked and y_stacked) or x.shape[0] == y.shape[0] else None


def _slice_by_index(operation: Operation, stacked: set[str]) -> Operation | None:
    rank, size = _rank(operation), _shape(operation)[0]
    masks = {
        name: _numbers(operation, name, (False,) * rank).astype(bool)
        for name in ("begin_mask", "end_mask", "squeeze_mask")
    }
    whole = (
        (masks["begin_mask"][0] or _numbers(operation, "begin")[0] == 0)
        and (masks["end_mask"][0] or _numbers(operation, "end")[0] >= size)
        and _numbers(operation, "stride", (1,) * rank)[0] == 1
        and not masks["squeeze_mask"][0]
    )
    open_end = masks["end_mask"].copy()
    open_end[0] = True
    return operation.with_inputs(end_mask=open_end) if whole else None


def _slice_by_size(operation: Operation, stacked: set[str]) -> Operation | None:
    begin, size = _numbers(operation, "begin"), _numbers(operation, "size").copy()
    if begin[0] != 0 or size[0] not in (-1, _shape(operation)[0]):
        return None
    size[0] = -1
    return operation.with_inputs(size=size)


def _tile(operation: Operation, stacked: set[str]) -> Operation | None:
    reps = _numbers(operation, "reps")
    return operation if len(reps) == _rank(operation) and reps[0] == 1 else None


def _pad(operation: Operation, stacked: set[str]) -> Operation | None:
    pad = _numbers(operation, "pad")
    return operation if len(pad) < 2 * _rank(operation) or not pad[:2].any() else None


def _axes_given(operation: Operation, stacked: set[str]) -> Operation | None:
    """For operations over `axes` that are all of them when not given."""
    axes = operation.inputs.get("axes")
    if axes is None or 0 in [int(axis) % _rank(operation) for axis in np.ravel(axes)]:  # type: ignore[arg-type]
        return None
    return operation


def _l2_norm(operation: Operation, stacked: set[str]) -> Operation | None:
    return operation if _rank(operation) > 3 else None


def _only(operation: Operation, stacked: set[str], name: str) -> bool:
    """Whether the input `name` is stacked and no other one is."""
    return [v.name in stacked for v in operation.values()].count(True) == 1 and (
        isinstance(v := operation.inputs[name], Value) and v.name in stacked
    )


def _shape(operation: Operation) -> tuple[int, ...]:
    x = operation.inputs["x"]
    assert isinstance(x, Value)
    return x.shape


def _rank(operation: Operation) -> int:
    return len(_shape(operation))


def _numbers(operation: Operation, name: str, default: Any = None) -> np.ndarray:
    return np.asarray(operation.inputs.get(name, default))


_Rule = Callable[[Operation, set[str]], Operation | None]
_BY_AXES: dict[Axes, _Rule] = {Axes.ELEMENTWISE: _elementwise, Axes.SPATIAL: _spatial, Axes.NAMED: _named}
_RULES: dict[str, _Rule] = {
    "image": _spatial,
    "reshape": _as_reshape,
    "expand_dims": _as_reshape,
    "squeeze": _as_reshape,
    "transpose": _transpose,
    "linear": _linear,
    "matmul": _matmul,
    "slice_by_index": _slice_by_index,
    "slice_by_size": _slice_by_size,
    "tile": _tile,
    "pad": _pad,
    "reverse": _axes_given,
    "layer_norm": _axes_given,
    "l2_norm": _l2_norm,
}
"""What an operation's way with axes (`Axes`) does not say already."""
