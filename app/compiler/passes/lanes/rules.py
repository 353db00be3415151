"""For each operation: along which axis its work can be shared by lanes, and what each lane reads.

A rule adds the operation once a lane and returns true, or returns false when it knows no way; then the operation runs
whole, on lane 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from app.compiler.ops.registry import TABLE, Axes
from app.compiler.padding import flat, resolve
from app.compiler.passes.lanes.in_lanes import LARGEST, Plan, part_of
from app.compiler.passes.lanes.products import attention, linear, matmul, pointwise
from app.compiler.passes.lanes.shares import added, along, axis_of, bounds_of, elements, only_x, rank_of_x, worth
from app.compiler.program import FLOATS, Argument, Operation, Value

Rule = Callable[[Operation, Plan], bool]


def rule_for(operation: Operation) -> Rule | None:
    """The rule of an operation; None when it always runs whole."""
    return _RULES.get(operation.kind) or _BY_AXES.get(TABLE[operation.kind].axes)


def _elementwise(operation: Operation, plan: Plan) -> bool:
    shape = operation.output.shape
    full = [v for v in operation.values() if v.shape == shape]
    leading = next((v for v in full if v.name in plan.parts), full[0] if full else None)
    axis = axis_of(leading, plan)
    if leading is None or axis is None or not worth(operation):
        return False
    if leading.name not in plan.parts and elements(leading) < LARGEST:
        return False  # that takes less time than to put the parts together again

    def cut(argument: Argument, start: int, stop: int, lane: int) -> Argument:
        if not isinstance(argument, Value | np.ndarray):
            return argument
        own = axis - len(shape) + len(argument.shape)
        if own < 0 or argument.shape[own] == 1:
            return plan.whole(argument) if isinstance(argument, Value) else argument
        if isinstance(argument, Value):
            return plan.piece(argument, own, start, stop, lane)
        return argument[(slice(None),) * own + (slice(start, stop),)]

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        return {name: cut(one, start, stop, lane) for name, one in operation.inputs.items()}

    return along(operation, plan, bounds_of(leading, axis, plan, 0), arguments, axis)


def _last_axis(operation: Operation, plan: Plan) -> bool:
    return only_x(operation, plan, (rank_of_x(operation) - 1,))


def _named(operation: Operation, plan: Plan) -> bool:
    values = operation.inputs.get("values")
    key = "axis" if "axis" in operation.inputs else "axes"
    if isinstance(values, tuple):
        return _side_by_side(operation, plan, values)
    rank = rank_of_x(operation)
    if not rank:
        return False
    named = {axis % rank for axis in operation.numbers(key, tuple(range(rank)))}
    drops = len(operation.outputs[0].shape) < rank
    return only_x(operation, plan, named, lambda axis: axis - sum(n < axis for n in named) if drops else axis)


def _side_by_side(operation: Operation, plan: Plan, values: tuple[Value | np.ndarray, ...]) -> bool:
    """concat along another axis than the one that is cut."""
    rank = len(operation.output.shape)
    barred = (operation.numbers("axis")[0] % rank,)
    cut = [v for v in values if isinstance(v, Value) and v.name in plan.parts and plan.parts[v.name].axis not in barred]
    if not cut:
        return False
    axis, bounds = plan.parts[cut[0].name].axis, plan.parts[cut[0].name].bounds

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        own = (slice(None),) * axis + (slice(start, stop),)
        return {
            "values": tuple(plan.piece(v, axis, start, stop, lane) if isinstance(v, Value) else v[own] for v in values)
        }

    return along(operation, plan, bounds, arguments, axis)


def _image(operation: Operation, plan: Plan) -> bool:
    """Pixels N, H, W, C become N, C, H, W."""
    x = operation.value("x")
    if x is None or operation.inputs.get("channels_last"):
        return False
    return only_x(operation, plan, (2, 3), lambda axis: axis and 2)


def _windows(operation: Operation, plan: Plan) -> bool:
    """Convolutions and pools: a lane makes some rows of the result and reads the rows under their windows."""
    x, out = operation.value("x"), operation.output
    if x is None or not worth(operation) or len(x.shape) != 4:
        return False
    parts = plan.parts.get(x.name)
    if parts and parts.axis == 1 and operation.kind != "unfolded_conv":
        return _each_channel(operation, plan, x)
    if out.shape[0] >= plan.lanes and (parts is None or parts.axis == 0):
        return only_x(operation, plan, (1, 2, 3))
    window = _window(operation, x)
    if window is None or out.shape[2] < plan.lanes:
        return False
    reach, stride, pads = window

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        first, last = start * stride - pads[0], (stop - 1) * stride + reach - pads[0]
        low, high = max(first, 0), min(last, x.shape[2])
        pad = np.array([low - first, last - high, *pads[2:]])
        given: dict[str, Argument] = {"x": plan.piece(x, 2, low, high, lane), "pad": pad}
        return {**given, "pad_type": "custom"} if "pad_type" in operation.inputs else given

    bounds = plan.bounds(out.shape[2])
    if any(
        start * stride - pads[0] >= x.shape[2] or (stop - 1) * stride + reach <= pads[0]
        for start, stop in pairwise(bounds)
    ):
        return False  # a lane would have nothing but border
    return along(operation, plan, bounds, arguments, 2)


def _each_channel(operation: Operation, plan: Plan, x: Value) -> bool:
    bands, bias = operation.constant("bands"), operation.constant("bias")

    def arguments(start: int, stop: int, lane: int) -> dict[str, Argument]:
        given: dict[str, Argument] = {"x": plan.piece(x, 1, start, stop, lane)}
        if bands is not None:
            given["bands"] = bands[start:stop]
        if bias is not None:
            given["bias"] = bias[start:stop]
        return given

    return along(operation, plan, plan.parts[x.name].bounds, arguments, 1)


def _window(operation: Operation, x: Value) -> tuple[int, int, tuple[int, ...]] | None:
    """Rows under a window, rows from one to the next, and the padding; None where it is not as simple."""
    if operation.kind in ("banded_conv", "unfolded_conv"):
        rows = operation.numbers("kernel")[0]
        reach = (rows - 1) * operation.numbers("dilations", (1, 1))[0] + 1
        return reach, operation.numbers("strides")[0], operation.numbers("pad")
    kernel = operation.numbers("kernel_sizes")
    strides = operation.numbers("strides", (1,) * len(kernel))
    if operation.inputs.get("ceil_mode") or operation.inputs.get("channels_last"):
        return None
    pads = flat(
        resolve(
            str(operation.inputs.get("pad_type", "valid")),
            operation.numbers("pad"),
            x.shape[2:],
            kernel,
            strides,
            (1, 1),
        )
    )
    return kernel[0], strides[0], pads


def _reshape(operation: Operation, plan: Plan) -> bool:
    """Where the cut axis keeps its place in the order of the elements: alone, before others in one, or as several."""
    x, new = operation.value("x"), operation.output.shape
    parts = plan.parts.get(x.name) if x else None
    if x is None or parts is None:
        return False
    before = math.prod(x.shape[: parts.axis])
    place = next(
        (i for i in range(len(new) + 1) if math.prod(new[:i]) == before and (i == len(new) or new[i] > 1)), None
    )
    if place is None or place == len(new):
        return False
    inner, unit = math.prod(x.shape[parts.axis + 1 :]), math.prod(new[place + 1 :])
    if any(bound * inner % unit for bound in parts.bounds):
        return False
    bounds = tuple(bound * inner // unit for bound in parts.bounds)
    pieces = tuple(part_of(operation.output, place, start, stop) for start, stop in pairwise(bounds))
    for part, (source, piece) in enumerate(zip(parts.values, pieces, strict=True)):
        lane = plan.lane(part, len(pieces))
        plan.append("reshape", {"x": source, "shape": np.array(piece.shape)}, (piece,), lane)
    plan.give(operation.output, place, pieces)
    return True


def _transpose(operation: Operation, plan: Plan) -> bool:
    perm = [axis % rank_of_x(operation) for axis in operation.numbers("perm")]
    return _cut_already(operation, plan) and only_x(operation, plan, (), perm.index)


def _cut_already(operation: Operation, plan: Plan) -> bool:
    x = operation.value("x")
    return x is not None and x.name in plan.parts


def _slice_by_index(operation: Operation, plan: Plan) -> bool:
    """Along an axis of which the whole is taken."""
    x = operation.value("x")
    parts = plan.parts.get(x.name) if x else None
    if x is None or parts is None or len(operation.outputs) != 1:
        return False
    squeezed = operation.numbers("squeeze_mask", (0,) * len(x.shape))
    axis = parts.axis
    if squeezed[axis] or operation.numbers("stride", (1,) * len(x.shape))[axis] != 1:
        return False
    out_axis = axis - sum(bool(n) for n in squeezed[:axis])
    if operation.output.shape[out_axis] != x.shape[axis]:
        return False
    begin_mask, end_mask = (
        np.array(operation.numbers(name, (0,) * len(x.shape)), bool) for name in ("begin_mask", "end_mask")
    )
    begin_mask[axis] = end_mask[axis] = True
    masks: dict[str, Argument] = {"begin_mask": begin_mask, "end_mask": end_mask}
    return along(
        operation,
        plan,
        parts.bounds,
        lambda start, stop, lane: {"x": plan.piece(x, axis, start, stop, lane), **masks},
        out_axis,
    )


def _mean(operation: Operation, plan: Plan) -> bool:
    """Over the axis that is cut: each lane's mean, weighted by its share. Whole numbers have no share of a mean."""
    x, out = operation.value("x"), operation.output
    parts = plan.parts.get(x.name) if x else None
    if x is None or parts is None or out.dtype not in FLOATS:
        return _named(operation, plan)
    axes = [axis % len(x.shape) for axis in operation.numbers("axes", tuple(range(len(x.shape))))]
    if parts.axis not in axes:
        return _named(operation, plan)
    shares = []
    for part, source in enumerate(parts.values):
        lane = plan.lane(part, len(parts.values))
        mean = Value(f"{out.name} of part {part}", out.shape, out.dtype)
        share = Value(f"{out.name} share of part {part}", out.shape, out.dtype)
        plan.append("reduce_mean", {**operation.inputs, "x": source}, (mean,), lane)
        weight = source.shape[parts.axis] / x.shape[parts.axis]
        plan.append("mul", {"x": mean, "y": weight}, (share,), lane)
        shares.append(share)
    added(plan, shares, out)
    return True


_RULES: dict[str, Rule] = {
    "image": _image,
    "pointwise_conv": pointwise,
    "banded_conv": _windows,
    "unfolded_conv": _windows,
    "max_pool": _windows,
    "avg_pool": _windows,
    "linear": linear,
    "cpu_layer_norm": _last_axis,
    "layer_norm": _named,
    "cpu_softmax": _last_axis,
    "matmul": matmul,
    "cpu_attention": attention,
    "attention": attention,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "transpose": _transpose,
    "slice_by_index": _slice_by_index,
    "reduce_mean": _mean,
}
_BY_AXES: dict[Axes, Rule] = {Axes.ELEMENTWISE: _elementwise, Axes.NAMED: _named}
