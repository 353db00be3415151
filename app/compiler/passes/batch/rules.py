"""For each operation: how it looks for N images, and where its results keep them.

A rule places the operation in the growing program and returns true, or returns false when it knows no way. Each has two
ways at most: the operation as it stands, where the images' axis is one that it leaves alone; or every tensor with the
images in front (LEAD), its axes counted one further. What has no rule, or whose rule knows no way, runs once an image.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import numpy as np

from app.compiler.ops.registry import TABLE, Axes
from app.compiler.passes.batch.joins import (
    all_at,
    attention,
    concat,
    einsum,
    elementwise,
    gather,
    gather_along_axis,
    matmul,
    stack,
)
from app.compiler.passes.batch.many import Many
from app.compiler.passes.batch.seat import LEAD, Seat
from app.compiler.passes.batch.shapes import (
    expand_dims,
    pad,
    reshape,
    slice_by_index,
    slice_by_size,
    squeeze,
    tile,
    transpose,
)
from app.compiler.program import Argument, Operation, Value

Rule = Callable[[Operation, Many], bool]


def place(operation: Operation, many: Many) -> None:
    """Append an operation that reads images to the program for N of them."""
    rule = rule_for(operation.kind)
    if rule is None or not rule(operation, many):
        once_an_image(operation, many)


def rule_for(kind: str) -> Rule | None:
    """The rule of an op type; None when it runs once an image."""
    return _RULES.get(kind) or _BY_AXES.get(TABLE[kind].axes)


def once_an_image(operation: Operation, many: Many) -> None:
    """N copies of the operation, each on one image's part of what it reads; their results side by side."""
    parts: list[tuple[Value, ...]] = []
    for image in range(many.batch):
        own = {v.name: _one_of(many, v, image) for v in operation.values() if many.seat(v)}
        outputs = tuple(Value(f"{v.name} of image {image}", v.shape, v.dtype) for v in operation.outputs)
        many.operations.append(Operation(operation.kind, operation.reading(own).inputs, outputs))
        parts.append(outputs)
    for result, pieces in zip(operation.outputs, zip(*parts, strict=True), strict=True):
        stacked = many.add("stack", {"values": pieces, "axis": 0}, (many.batch, *result.shape), result)
        many.rename(stacked, result, LEAD)


def _one_of(many: Many, value: Value, image: int) -> Value:
    all_images = many.moved(value, LEAD)
    rest = len(value.shape)
    inputs: dict[str, Argument] = {
        "x": all_images,
        "begin": np.array([image, *[0] * rest]),
        "end": np.array([image + 1, *value.shape]),
        "squeeze_mask": np.array([True, *[False] * rest]),
    }
    return many.add("slice_by_index", inputs, value.shape, value)


def _spatial(operation: Operation, many: Many) -> bool:
    """N, C, space: every row of the first axis is by itself."""
    if not _only(operation, many, "x"):
        return False
    x = operation.value("x")
    assert x is not None
    seat = many.seat(x)
    if any(value.shape[:1] != x.shape[:1] for value in operation.outputs):
        return False
    if not seat or seat.axis != 0:
        seat = Seat(0, x.shape[0])
    many.place(operation, [seat] * len(operation.outputs), x=many.moved(x, seat))
    return True


def _named(operation: Operation, many: Many) -> bool:
    """One tensor, `x`, whose axes are named by `axis` or `axes` (all when not given)."""
    if not _only(operation, many, "x"):
        return False
    x, seat = operation.value("x"), many.seat(operation.inputs["x"])
    assert x is not None
    assert seat is not None
    key, axes = _axes(operation, len(x.shape))
    if seat != LEAD and seat.axis not in axes:
        seats = [_left(seat, axes, x, value) for value in operation.outputs]
        if None not in seats:
            many.place(operation, [one for one in seats if one])
            return True
    further = [axis + 1 for axis in axes]
    changed: dict[str, Argument] = {key: further[0] if key == "axis" else np.array(further)}
    many.place(operation, [LEAD] * len(operation.outputs), x=many.moved(x, LEAD), **changed)
    return True


def _axes(operation: Operation, rank: int) -> tuple[str, list[int]]:
    """The name of the input with the axes, and the axes, counted from the front."""
    parameters = inspect.signature(TABLE[operation.kind].function).parameters
    key = "axis" if "axis" in parameters else "axes"
    given = operation.inputs.get(key, parameters[key].default)
    if given is None:
        return key, list(range(rank))
    return key, [int(axis) % rank for axis in np.ravel(given)]


def _left(seat: Seat, axes: list[int], x: Value, result: Value) -> Seat | None:
    """Where the images are once the named axes are kept or dropped; None for any other change of shape."""
    if len(result.shape) == len(x.shape):
        found = seat
    elif len(result.shape) == len(x.shape) - len(axes):
        found = Seat(seat.axis - sum(axis < seat.axis for axis in axes), seat.inner)
    else:
        return None
    return found if result.shape[found.axis] == x.shape[seat.axis] else None


def _last(count: int) -> Rule:
    """For operations on the last axes of `x`, whatever stands before them."""

    def rule(operation: Operation, many: Many) -> bool:
        x = operation.value("x")
        if x is None or not _only(operation, many, "x") or len(x.shape) < count:
            return False
        seat = many.seat(x)
        if not seat or seat.axis >= len(x.shape) - count:
            seat = LEAD
        many.place(operation, [seat] * len(operation.outputs), x=many.moved(x, seat))
        return True

    return rule


def _resize(operation: Operation, many: Many) -> bool:
    return _last(operation.numbers("resized_dims")[0])(operation, many)


def _rows(operation: Operation, many: Many) -> bool:
    """Every row of the first axis of all tensors is by itself; they have equally many."""
    tensors = {n: one for n, one in operation.inputs.items() if isinstance(one, Value | np.ndarray) and one.shape}
    if len({one.shape[0] for one in (*tensors.values(), *operation.outputs)}) > 1:
        return False
    seat = Seat(0, operation.outputs[0].shape[0])
    many.place(
        operation,
        [seat] * len(operation.outputs),
        **dict(zip(tensors, all_at(tensors.values(), seat, many), strict=True)),
    )
    return True


def _recurrent(operation: Operation, many: Many) -> bool:
    """Steps of x (T, N, I) from states (N, H): images beside each other on N."""
    tensors = {name: operation.inputs.get(name) for name in ("x", "initial_h", "initial_c")}
    given = {name: one for name, one in tensors.items() if isinstance(one, Value | np.ndarray)}
    rows = operation.outputs[0].shape[1]
    if any(many.seat(value) and value not in given.values() for value in operation.values()):
        return False
    seats = {3: Seat(1, rows), 2: Seat(0, rows)}
    changed = {name: all_at((one,), seats[len(one.shape)], many)[0] for name, one in given.items()}
    many.place(operation, [seats[len(value.shape)] for value in operation.outputs], **changed)
    return True


def _linear(operation: Operation, many: Many) -> bool:
    x = operation.value("x")
    if x is None or not _only(operation, many, "x"):
        return False
    seat = many.seat(x)
    if not seat or seat.axis == len(x.shape) - 1:
        seat = LEAD
    many.place(operation, [seat], x=many.moved(x, seat))
    return True


def _quantized(operation: Operation, many: Many) -> bool:
    """`input` with one scale for all, or one for each place on `axis`."""
    x = operation.value("input")
    if x is None or not _only(operation, many, "input"):
        return False
    seat = many.seat(x)
    axes = operation.numbers("axis")
    if seat and seat != LEAD and (not axes or axes[0] % len(x.shape) != seat.axis):
        many.place(operation, [seat])
    elif axes:
        many.place(operation, [LEAD], input=many.moved(x, LEAD), axis=axes[0] % len(x.shape) + 1)
    else:
        many.place(operation, [LEAD], input=many.moved(x, LEAD))
    return True


def _one_hot(operation: Operation, many: Many) -> bool:
    x = operation.value("indices")
    if x is None or not _only(operation, many, "indices"):
        return False
    axis = int(operation.numbers("axis", (-1,))[0])
    many.place(operation, [LEAD], indices=many.moved(x, LEAD), axis=axis if axis < 0 else axis + 1)
    return True


def _only(operation: Operation, many: Many, name: str) -> bool:
    """Whether the input `name` is the only one that holds images."""
    holding = [value for value in operation.values() if many.seat(value)]
    return holding == [operation.inputs.get(name)]


def without_rule() -> Iterator[str]:
    """The op types that run once an image, sorted."""
    return (kind for kind in sorted(TABLE) if rule_for(kind) is None)


_BY_AXES: dict[Axes, Rule] = {Axes.ELEMENTWISE: elementwise, Axes.SPATIAL: _spatial, Axes.NAMED: _named}
_RULES: dict[str, Rule] = {
    "image": _spatial,
    "concat": concat,
    "stack": stack,
    "reshape": reshape,
    "flatten2d": reshape,
    "reshape_like": reshape,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "transpose": transpose,
    "linear": _linear,
    "matmul": matmul,
    "einsum": einsum,
    "scaled_dot_product_attention": attention,
    "attention": attention,
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "tile": tile,
    "pad": pad,
    "reverse": _named,
    "layer_norm": _named,
    "rms_norm": _named,
    "cumsum": _named,
    "topk": _named,
    "argsort": _named,
    "sliding_windows": _named,
    "l2_norm": _last(3),
    "band_part": _last(2),
    "crop": _last(2),
    "resize_bilinear": _last(2),
    "resize_nearest_neighbor": _last(2),
    "upsample_bilinear": _last(2),
    "upsample_nearest_neighbor": _last(2),
    "resize": _resize,
    "rnn": _recurrent,
    "gru": _recurrent,
    "lstm": _recurrent,
    "affine": _rows,
    "resample": _rows,
    "non_maximum_suppression": _rows,
    "one_hot": _one_hot,
    "quantize": _quantized,
    "dequantize": _quantized,
    "gather": gather,
    "gather_along_axis": gather_along_axis,
}
"""What an operation's way with axes (`Axes`) does not say already."""
