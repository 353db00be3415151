"""Batch rules of operations that change the shape of one tensor or take a part of it."""

from __future__ import annotations

from math import prod

import numpy as np

from app.compiler.passes.batch.many import Many
from app.compiler.passes.batch.seat import LEAD, Seat, after, seats_like
from app.compiler.program import Argument, Operation, Value


def reshape(operation: Operation, many: Many) -> bool:
    """The numbers keep their order, so the images stay where as many elements follow them."""
    x, result = _x(operation), operation.output
    seat = many.seat(x)
    if x is None or seat is None or not prod(result.shape):
        return False
    if found := seats_like(result.shape, after(x.shape, seat)):
        many.rename(many.now(x), result, found[0])
        return True
    best = seats_like(result.shape, prod(result.shape))
    many.rename(many.moved(x, LEAD), result, best[0] if best else LEAD)
    return True


def expand_dims(operation: Operation, many: Many) -> bool:
    """The images' axis moves behind the new ones that stand before it."""
    x, result = _x(operation), operation.output
    seat = many.seat(x)
    if x is None or seat is None:
        return False
    new = {axis % len(result.shape) for axis in operation.numbers("axes")}
    old = [axis for axis in range(len(result.shape)) if axis not in new]
    if seat == LEAD:
        many.rename(many.now(x), result, LEAD)
    else:
        many.place(operation, [Seat(old[seat.axis], seat.inner)])
    return True


def squeeze(operation: Operation, many: Many) -> bool:
    """The images' axis moves up; where it is itself dropped, the images go to its neighbour."""
    x, result = _x(operation), operation.output
    seat = many.seat(x)
    if x is None or seat is None:
        return False
    rank = len(x.shape)
    chosen = [axis % rank for axis in operation.numbers("axes", tuple(range(rank)))]
    kept = [axis for axis in range(rank) if axis not in chosen or x.shape[axis] != 1]
    if seat != LEAD and seat.axis not in kept:
        return reshape(operation, many) if result.shape else _as_scalar(x, result, many)
    if seat == LEAD:
        many.rename(many.now(x), result, LEAD)
    else:
        dropped = [axis for axis in range(rank) if axis not in kept]
        many.place(operation, [Seat(kept.index(seat.axis), seat.inner)], axes=np.array(dropped, dtype=np.int64))
    return True


def transpose(operation: Operation, many: Many) -> bool:
    """The images' axis goes where the permutation sends it."""
    x = _x(operation)
    seat = many.seat(x)
    if x is None or seat is None:
        return False
    perm = [axis % len(x.shape) for axis in operation.numbers("perm")]
    if seat == LEAD:
        many.place(operation, [LEAD], perm=np.array([0, *(axis + 1 for axis in perm)]))
    else:
        many.place(operation, [Seat(perm.index(seat.axis), seat.inner)])
    return True


def slice_by_index(operation: Operation, many: Many) -> bool:
    """As it stands where the images' axis is taken whole; else with the images in front."""
    x = _x(operation)
    seat = many.seat(x)
    begin, end = operation.constant("begin"), operation.constant("end")
    if x is None or seat is None or begin is None or end is None:
        return False
    rank = len(x.shape)
    squeezed = _flags(operation, "squeeze_mask", rank)
    stride = list(operation.numbers("stride", (1,) * rank))
    masks = {name: _flags(operation, name, rank) for name in ("begin_mask", "end_mask")}
    if seat == LEAD or squeezed[seat.axis] or not _whole(seat.axis, x, operation, masks, stride):
        changed: dict[str, Argument] = {
            "x": many.moved(x, LEAD),
            "begin": np.array([0, *operation.numbers("begin")]),
            "end": np.array([many.batch, *operation.numbers("end")]),
            "stride": np.array([1, *stride]),
            "squeeze_mask": np.array([False, *squeezed]),
            **{name: np.array([True, *mask]) for name, mask in masks.items()},
        }
        many.place(operation, [LEAD], **changed)
        return True
    stride[seat.axis] = 1
    for mask in masks.values():
        mask[seat.axis] = True
    changed = {"stride": np.array(stride), **{name: np.array(mask) for name, mask in masks.items()}}
    many.place(operation, [Seat(seat.axis - sum(squeezed[: seat.axis]), seat.inner)], **changed)
    return True


def slice_by_size(operation: Operation, many: Many) -> bool:
    """As slice_by_index."""
    x = _x(operation)
    seat = many.seat(x)
    if x is None or seat is None or operation.constant("begin") is None or operation.constant("size") is None:
        return False
    begin, size = list(operation.numbers("begin")), list(operation.numbers("size"))
    if seat == LEAD or operation.output.shape[seat.axis] != x.shape[seat.axis]:
        changed = {"begin": np.array([0, *begin]), "size": np.array([-1, *size])}
        many.place(operation, [LEAD], x=many.moved(x, LEAD), **changed)
        return True
    begin[seat.axis], size[seat.axis] = 0, -1
    many.place(operation, [seat], begin=np.array(begin), size=np.array(size))
    return True


def tile(operation: Operation, many: Many) -> bool:
    """As it stands where the images' axis is not repeated; else with the images in front."""
    x = _x(operation)
    seat = many.seat(x)
    reps = operation.numbers("reps")
    if x is None or seat is None or len(reps) != len(x.shape):
        return False
    if seat != LEAD and reps[seat.axis] == 1:
        many.place(operation, [seat])
    else:
        many.place(operation, [LEAD], x=many.moved(x, LEAD), reps=np.array([1, *reps]))
    return True


def pad(operation: Operation, many: Many) -> bool:
    """As it stands where the images' axis gets no border. The amounts belong to the last axes, so LEAD changes none."""
    x = _x(operation)
    seat = many.seat(x)
    if x is None or seat is None:
        return False
    if seat != LEAD and operation.output.shape[seat.axis] != x.shape[seat.axis]:
        seat = LEAD
    many.place(operation, [seat], x=many.moved(x, seat))
    return True


def _x(operation: Operation) -> Value | None:
    """The input `x`, when nothing else that the operation reads is computed at run time."""
    x = operation.value("x")
    return x if list(operation.values()) == [x] else None


def _as_scalar(x: Value, result: Value, many: Many) -> bool:
    many.rename(many.now(x), result, LEAD)
    return True


def _flags(operation: Operation, name: str, rank: int) -> list[bool]:
    given = operation.constant(name)
    return [False] * rank if given is None else [bool(one) for one in given.reshape(-1)]


def _whole(axis: int, x: Value, operation: Operation, masks: dict[str, list[bool]], stride: list[int]) -> bool:
    """Whether all of that axis is taken, in order."""
    size = x.shape[axis]
    if size == 1:
        # One element that is not squeezed away is all there is, whatever the step.
        return True
    begin, end = operation.numbers("begin")[axis], operation.numbers("end")[axis]
    return (
        stride[axis] == 1
        and (masks["begin_mask"][axis] or begin in (0, -size))
        and (masks["end_mask"][axis] or end >= size)
    )
