"""Batch rules of operations that bring several tensors together."""

from __future__ import annotations

import string
from collections.abc import Iterable

import numpy as np

from app.compiler.ops.registry import TABLE
from app.compiler.passes.batch_many import Many
from app.compiler.passes.batch_seat import LEAD, Seat, after
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
    """Images beside the joined axis; what is the same for all of them is repeated."""
    values = _tensors(operation.inputs["values"])
    axis = int(operation.numbers("axis")[0]) % len(values[0].shape)
    for seat in _seats(values, many):
        if seat not in (LEAD, Seat(axis, seat.inner)) and all(_fits(one, seat, many) for one in values):
            many.place(operation, [seat], values=_all_at(values, seat, many))
            return True
    many.place(operation, [LEAD], values=_all_at(values, LEAD, many), axis=axis + 1)
    return True


def stack(operation: Operation, many: Many) -> bool:
    """As concat; the new axis may push the images' axis back."""
    values = _tensors(operation.inputs["values"])
    axis = int(operation.numbers("axis")[0]) % len(operation.output.shape)
    for seat in _seats(values, many):
        if seat != LEAD and all(_fits(one, seat, many) for one in values):
            result = Seat(seat.axis + (axis <= seat.axis), seat.inner)
            many.place(operation, [result], values=_all_at(values, seat, many), axis=axis)
            return True
    many.place(operation, [LEAD], values=_all_at(values, LEAD, many), axis=axis + 1)
    return True


def einsum(operation: Operation, many: Many) -> bool:
    """The images keep their letter where every tensor that has it holds them there; else they get one of their own."""
    values = _tensors(operation.inputs["values"])
    equation = str(operation.inputs["equation"]).replace(" ", "")
    terms, arrow, result = equation.partition("->")
    letters = terms.split(",")
    if not arrow or "." in equation or len(letters) != len(values):
        return False
    held = {letters[i][s.axis] + str(s.inner) for i, one in enumerate(values) if (s := many.seat(one)) and s != LEAD}
    letter = next(iter(held))[0] if len(held) == 1 else ""
    everywhere = all((letter in term) == bool(many.seat(one)) for term, one in zip(letters, values, strict=True))
    sizes = {one.shape[term.index(letter)] for term, one in zip(letters, values, strict=True) if letter in term}
    if letter and letter in result and everywhere and len(sizes) == 1:
        inner = next(seat.inner for one in values if (seat := many.seat(one)))
        many.place(operation, [Seat(result.index(letter), inner)])
        return True
    free = next(one for one in string.ascii_letters if one not in equation)
    widened = [free + term if many.seat(one) else term for term, one in zip(letters, values, strict=True)]
    moved = tuple(many.moved(one, LEAD) if isinstance(one, Value) and many.seat(one) else one for one in values)
    many.place(operation, [LEAD], values=moved, equation=f"{','.join(widened)}->{free}{result}")
    return True


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
        both = _all_at((x, indices), LEAD, many)
        many.place(operation, [LEAD], x=both[0], indices=both[1], axis=axis + 1)
    return True


def _broadcast(operation: Operation, many: Many, own: int) -> bool:
    """Tensors whose axes, but for the last `own`, broadcast against each other."""
    rank, shape = len(operation.output.shape), operation.output.shape
    tensors = _named_tensors(operation)
    if any(isinstance(one, tuple) for one in operation.inputs.values()):
        return False
    if any(len(one.shape) < own for one in tensors.values()):
        return False
    for one in tensors.values():
        seat = many.seat(one)
        if seat and seat != LEAD and seat.axis < len(one.shape) - own:
            wide = Seat(seat.axis + rank - len(one.shape), seat.inner)
            aligned = {n: _aligned(t, wide, shape, many) for n, t in tensors.items()}
            changed: dict[str, Argument] = {n: t for n, t in aligned.items() if t is not None}
            if len(changed) == len(aligned):
                many.place(operation, [wide] * len(operation.outputs), **changed)
                return True
    changed = {}
    for name, one in tensors.items():
        if isinstance(one, Value) and many.seat(one):
            full = (many.batch, *(1,) * (rank - len(one.shape)), *one.shape)
            changed[name] = many.reshaped(many.moved(one, LEAD), full)
    many.place(operation, [LEAD] * len(operation.outputs), **changed)
    return True


def _aligned(one: Tensor, wide: Seat, shape: tuple[int, ...], many: Many) -> Tensor | None:
    """The tensor as it has to be for the result to sit at `wide`; None when a transpose would be needed."""
    axis = wide.axis - (len(shape) - len(one.shape))
    seat = many.seat(one)
    if isinstance(one, Value) and seat:
        wanted = Seat(axis, wide.inner)
        same_size = axis >= 0 and one.shape[axis] == shape[wide.axis]
        return many.moved(one, wanted) if same_size and _fits(one, wanted, many) else None
    if axis < 0 or one.shape[axis] == 1:
        return one
    return many.repeated(one, Seat(axis, wide.inner)) if one.shape[axis] == shape[wide.axis] else None


def _fits(one: Tensor, seat: Seat, many: Many) -> bool:
    """Whether the tensor gets into that seat without a transpose."""
    own = many.seat(one)
    if own is None:
        return True
    return one.shape[seat.axis] % seat.inner == 0 and after(one.shape, own) == after(one.shape, seat)


def _all_at(values: Iterable[Tensor], seat: Seat, many: Many) -> tuple[Tensor, ...]:
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
