"""Products in lanes: whose rows, columns or summed channels each lane takes. The rules' form: `rules.py`."""

from __future__ import annotations

import numpy as np

from app.compiler.ops.registry import TABLE, Axes
from app.compiler.passes.lanes.in_lanes import Plan
from app.compiler.passes.lanes.shares import added, along, axis_of, bounds_of, elements, only_x, rank_of_x, worth
from app.compiler.program import Argument, Operation, Value


def linear(operation: Operation, plan: Plan) -> bool:
    """x · weightᵀ, channels last."""
    return _product(operation, plan, rank_of_x(operation) - 1, ("linear",))


def pointwise(operation: Operation, plan: Plan) -> bool:
    """A 1 × 1 convolution, channels first."""
    return _product(operation, plan, 1, ("banded_conv",))


def _product(operation: Operation, plan: Plan, channels: int, sought: tuple[str, ...]) -> bool:
    """A product of x, channels along that axis, with constant weights: O, I.

    Rows (or pixels) are shared out, unless the channels of the result are worked on one by one until the next product:
    then each lane has its own channels all the way, reads its own weights only and needs no neighbours.
    """
    x, weight, out = operation.value("x"), operation.constant("weight"), operation.output
    if x is None or weight is None or not worth(operation):
        return False
    parts = plan.parts.get(x.name)
    if parts and parts.axis == channels and elements(out) <= elements(x):
        return _sum_of_products(operation, plan, x, weight, channels)
    convolves = operation.kind == "pointwise_conv"
    wide = convolves or weight.size > elements(x)
    if wide and out.shape[channels] >= plan.lanes and _leads_to(out, plan, sought):
        return _own_channels(operation, plan, x, weight, channels)
    if wide and not convolves:
        # All lanes read all weights, so no more often than they have to.
        axis = axis_of(x, plan, (channels,))
        if axis is None:
            return False
        coarse = bounds_of(x, axis, plan, 0)
        return along(operation, plan, coarse, lambda a, b, lane: {"x": plan.piece(x, axis, a, b, lane)}, axis)
    return only_x(operation, plan, (channels,))


def _leads_to(value: Value, plan: Plan, sought: tuple[str, ...]) -> bool:
    """Whether only operations element by element stand between the value and one of the sought kinds."""
    reader = plan.only_reader(value)
    while reader and TABLE[reader.kind].axes is Axes.ELEMENTWISE and reader.output.shape == value.shape:
        reader = plan.only_reader(reader.output)
    return reader is not None and reader.kind in sought


def _own_channels(operation: Operation, plan: Plan, x: Value, weight: np.ndarray, channels: int) -> bool:
    whole, bias = plan.whole(x), operation.constant("bias")

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        given: dict[str, Argument] = {"x": whole, "weight": weight[start:stop]}
        return given if bias is None or bias.size == 1 else {**given, "bias": bias[start:stop]}

    bounds = plan.bounds(len(weight), elements(operation.output))
    return along(operation, plan, bounds, arguments, channels)


def _sum_of_products(operation: Operation, plan: Plan, x: Value, weight: np.ndarray, channels: int) -> bool:
    """Each lane multiplies and adds up its channels; then the lanes' sums are added."""
    parts, out = plan.parts[x.name], operation.output
    kind = "sum_of_convs" if operation.kind == "pointwise_conv" else "sum_of_linears"
    owners = [plan.lane(part, len(parts.values)) for part in range(len(parts.values))]
    sums = []
    for lane in sorted(set(owners)):
        own = [part for part, owner in enumerate(owners) if owner == lane]
        inputs: dict[str, Argument] = {
            "values": tuple(parts.values[part] for part in own),
            "weights": tuple(weight[:, parts.bounds[part] : parts.bounds[part + 1]] for part in own),
        }
        if lane == 0 and "bias" in operation.inputs:
            inputs["bias"] = operation.inputs["bias"]
        sums.append(Value(f"{out.name} sum of lane {lane}", out.shape, out.dtype))
        plan.append(kind, inputs, (sums[-1],), lane)
    added(plan, sums, out)
    return True


def matmul(operation: Operation, plan: Plan) -> bool:
    """Rows of x, each with the whole of y, or leading axes."""
    x, y = operation.value("x"), operation.inputs["y"]
    rank = len(operation.output.shape)
    if x is None or not isinstance(y, Value | np.ndarray) or not worth(operation) or len(x.shape) != rank or rank < 2:
        return False
    own_rows = rank - 1 if operation.inputs.get("transpose_x") else rank - 2
    summed = 2 * rank - 3 - own_rows
    axis = axis_of(x, plan, (summed,))
    if axis is None:
        return False
    place = axis - rank + len(y.shape)
    shared = axis == own_rows or place < 0 or y.shape[place] == 1
    if not shared and not isinstance(y, Value):
        return False

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        given: dict[str, Argument] = {"x": plan.piece(x, axis, start, stop, lane)}
        if isinstance(y, Value):
            given["y"] = plan.whole(y) if shared else plan.piece(y, place, start, stop, lane)
        return given

    bounds = bounds_of(x, axis, plan, elements(operation.output))
    return along(operation, plan, bounds, arguments, rank - 2 if axis == own_rows else axis)


def attention(operation: Operation, plan: Plan) -> bool:
    """Rows of queries, each with all keys and values, or whole heads."""
    query, key, value = (operation.value(name) for name in ("query", "key", "value"))
    if query is None or key is None or value is None or not worth(operation) or operation.value("mask"):
        return False
    rank, mask = len(query.shape), operation.constant("mask")
    axis = axis_of(query, plan, (rank - 1,))
    if axis is None:
        return False

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        given: dict[str, Argument] = {"query": plan.piece(query, axis, start, stop, lane)}
        for name, one in (("key", key), ("value", value)):
            given[name] = plan.whole(one) if axis == rank - 2 else plan.piece(one, axis, start, stop, lane)
        if mask is not None:
            place = axis - rank + mask.ndim
            cut = place >= 0 and mask.shape[place] > 1
            given["mask"] = mask[(slice(None),) * place + (slice(start, stop),)] if cut else mask
        return given

    return along(operation, plan, bounds_of(query, axis, plan, 0), arguments, axis)
