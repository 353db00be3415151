"""Batch rules of operations that bring several tensors together."""

from __future__ import annotations

import string
from collections.abc import Iterable

import numpy as np

from app.compiler.ops.registry import TABLE
from app.compiler.passes.batch.many import Many
from app.compiler.passes.batch.seat import LEAD, Seat, after
from app.compiler.program import Argument, Operation, Value

Tensor = Value | np.ndarray


def elementwise(operation: Operation, many: Many) -> bool:
    """Every tensor broadcasts, no axis has a meaning."""
    return _broadcast(operation, many, own=0)


def leading(operation: Operation, many: Many) -> bool:
    """The last two axes of each tensor are the operation's, those before them broadcast."""
    return _broadcast(operation, many, own=2)


def matmul(operation: Operation, many: Many) -> bool:
    """Images among the rows of x or the columns of y stay there while the other one is the same for all of them."""
    x, y, rank = operation.inputs["x"], operation.inputs["y"], len(operation.output.shape)
    if not isinstance(x, Tensor) or not isinstance(y, Tensor) or min(len(x.shape), len(y.shape)) < 2:
        return False
    x_seat, y_seat = many.seat(x), many.seat(y)
    row = len(x.shape) - (1 if operation.inputs.get("transpose_x") else 2)
    column = len(y.shape) - (2 if operation.inputs.get("transpose_y") else 1)
    if x_seat and not y_seat and x_seat.axis == row:
        many.place(operation, [Seat(rank - 2, x_seat.inner)])
    elif y_seat and not x_seat and y_seat.axis == column:
        many.place(operation, [Seat(rank - 1, y_seat.inner)])
    else:
        return leading(operation, many)
    return True


def concat(operation: Operation, many: Many) -> bool:
    """Images beside the joined axis; what is the same for all of them is repeated. Single numbers have no axes."""
    values = _tensors(operation.inputs["values"])
    if not values[0].shape:
        return False
    axis = int(operation.numbers("axis")[0]) % len(values[0].shape)
    for seat in _seats(values, many):
        if seat not in (LEAD, Seat(axis, seat.inner)) and all(_fits(one, seat, many) for one in values):
            many.place(operation, [seat], values=all_at(values, seat, many))
            return True
    many.place(operation, [LEAD], values=all_at(values, LEAD, many), axis=axis + 1)
    return True


def stack(operation: Operation, many: Many) -> bool:
    """As concat; the new axis may push the images' axis back."""
    values = _tensors(operation.inputs["values"])
    axis = int(operation.numbers("axis")[0]) % len(operation.output.shape)
    for seat in _seats(values, many):
        if seat != LEAD and all(_fits(one, seat, many) for one in values):
            result = Seat(seat.axis + (axis <= seat.axis), seat.inner)
            many.place(operation, [result], values=all_at(values, seat, many), axis=axis)
            return True
    many.place(operation, [LEAD], values=all_at(values, LEAD, many), axis=axis + 1)
    return True


def einsum(operation: Operation, many: Many) -> bool:
    """nchw,nwhu->nchu with the images on n, and chw,whu->chu (the two equations of MIL), which gets an n for them."""
    values = _tensors(operation.inputs["values"])
    terms = str(operation.inputs["equation"]).replace(" ", "").replace("->", ",").split(",")
    sizes = {one.shape[0] for one in values}
    if any(len(term) == 3 for term in terms):
        letter = next(one for one in string.ascii_lowercase if one not in "".join(terms))
        x, y, result = (letter + term for term in terms)
        many.place(operation, [LEAD], values=all_at(values, LEAD, many), equation=f"{x},{y}->{result}")
        return True
    if len(sizes) > 1:
        return False
    seat = Seat(0, sizes.pop())
    many.place(operation, [seat], values=all_at(values, seat, many))
    return True


def attention(operation: Operation, many: Many) -> bool:
    """As `leading`, but query, key and value do not broadcast: one that is the same for all images is repeated."""
    return _broadcast(operation, many, own=2, whole=("query", "key", "value"))


def gather(operation: Operation, many: Many) -> bool:
    """x[..., indices, ...] along `axis`, when either x or the indices are the same for all images."""
    x, indices = operation.inputs["x"], operation.inputs["indices"]
    if not isinstance(x, Tensor) or operation.numbers("batch_dims", (0,))[0] != 0:
        return False
    axis = operation.numbers("axis", (0,))[0] % len(x.shape)
    seat, by = many.seat(x), many.seat(indices)
    if isinstance(x, Value) and seat and not by:
        drawn = len(indices.shape) if isinstance(indices, Tensor) else 0
        if seat not in (LEAD, Seat(axis, seat.inner)):
            many.place(operation, [Seat(seat.axis + (drawn - 1 if axis < seat.axis else 0), seat.inner)])
        else:
            many.place(operation, [LEAD], x=many.moved(x, LEAD), axis=axis + 1)
        return True
    if not isinstance(indices, Value) or seat or by is None:
        return False
    if by == LEAD and axis == 0:
        many.place(operation, [LEAD])
    elif indices.shape:
        by = Seat(0, indices.shape[0]) if by == LEAD else by
        many.place(operation, [Seat(axis + by.axis, by.inner)], indices=many.moved(indices, by))
    else:
        return False
    return True


def gather_along_axis(operation: Operation, many: Many) -> bool:
    """One element of x for each index, at the index's own place but for `axis`."""
    x, indices = operation.inputs["x"], operation.inputs["indices"]
    if not isinstance(x, Tensor) or not isinstance(indices, Tensor):
        return False
    axis = operation.numbers("axis", (0,))[0] % len(x.shape)
    seat = many.seat(x)
    if seat and seat == many.seat(indices) and seat not in (LEAD, Seat(axis, seat.inner)):
        many.place(operation, [seat])
    else:
        both = all_at((x, indices), LEAD, many)
        many.place(operation, [LEAD], x=both[0], indices=both[1], axis=axis + 1)
    return True


def _broadcast(operation: Operation, many: Many, own: int, whole: tuple[str, ...] = ()) -> bool:
    """Tensors whose axes, but for the last `own`, broadcast against each other; those named in `whole` agree."""
    rank, shape = len(operation.output.shape), operation.output.shape
    tensors = _named_tensors(operation)
    if any(isinstance(one, tuple) for one in operation.inputs.values()):
        return False
    if any(len(one.shape) < own for one in tensors.values()):
        return False
    results = len(operation.outputs)
    for one in tensors.values():
        seat = many.seat(one)
        if seat and seat != LEAD and seat.axis < len(one.shape) - own:
            wide = Seat(seat.axis + rank - len(one.shape), seat.inner)
            found = {name: _aligned(t, wide, shape, many, name in whole) for name, t in tensors.items()}
            changed: dict[str, Argument] = {name: t for name, t in found.items() if t is not None}
            if len(changed) == len(found):
                many.place(operation, [wide] * results, **changed)
                return True
    changed = {name: _widened(t, many, rank, name in whole) for name, t in tensors.items()}
    many.place(operation, [LEAD] * results, **changed)
    return True


def _aligned(one: Tensor, wide: Seat, shape: tuple[int, ...], many: Many, whole: bool) -> Tensor | None:
    """The tensor as it has to be for the result to sit at `wide`; None when a transpose would be needed."""
    axis = wide.axis - (len(shape) - len(one.shape))
    same_size = axis >= 0 and one.shape[axis] == shape[wide.axis]
    if isinstance(one, Value) and many.seat(one):
        wanted = Seat(axis, wide.inner)
        return many.moved(one, wanted) if same_size and _fits(one, wanted, many) else None
    if not whole and (axis < 0 or one.shape[axis] == 1):
        return one
    return many.repeated(one, Seat(axis, wide.inner)) if same_size else None


def _widened(one: Tensor, many: Many, rank: int, whole: bool) -> Tensor:
    """The tensor with the images in front of `rank` axes; what is the same for all as it is, or repeated if `whole`."""
    if not many.seat(one):
        if not whole:
            return one
        one = many.repeated(one, LEAD)
        shape = (many.batch, *(1,) * (rank + 1 - len(one.shape)), *one.shape[1:])
        return many.reshaped(one, shape) if isinstance(one, Value) else one.reshape(shape)
    assert isinstance(one, Value)
    return many.reshaped(many.moved(one, LEAD), (many.batch, *(1,) * (rank - len(one.shape)), *one.shape))


def _fits(one: Tensor, seat: Seat, many: Many) -> bool:
    """Whether the tensor gets into that seat without a transpose."""
    own = many.seat(one)
    if own is None:
        return True
    return one.shape[seat.axis] % seat.inner == 0 and after(one.shape, own) == after(one.shape, seat)


def all_at(values: Iterable[Tensor], seat: Seat, many: Many) -> tuple[Tensor, ...]:
    """The tensors in that seat; what is the same for all images is repeated."""
    return tuple(
        many.moved(one, seat) if isinstance(one, Value) and many.seat(one) else many.repeated(one, seat)
        for one in values
    )


def _seats(values: Iterable[Tensor], many: Many) -> list[Seat]:
    return [seat for one in values if (seat := many.seat(one))]


def _tensors(argument: Argument) -> tuple[Tensor, ...]:
    assert isinstance(argument, tuple)
    return argument


def _named_tensors(operation: Operation) -> dict[str, Tensor]:
    """The inputs that the lowering takes as one tensor each, without plain numbers."""
    parameters = TABLE[operation.kind].parameters
    return {
        name: one
        for name, one in operation.inputs.items()
        if isinstance(one, Value) or (isinstance(one, np.ndarray) and one.shape and _is_tensor(parameters.get(name)))
    }


def _is_tensor(annotation: str | None) -> bool:
    return bool(annotation and annotation.startswith("mx.array"))
