"""Runs of operations that one kernel works through on an NVIDIA GPU (`cuda/network.py`): a step for each of them.

What the kernel cannot do ends a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.compiler.cuda.geometry import (
    BIAS,
    FACTOR,
    RESIDUAL,
    RESIDUAL_FIRST,
    Window,
    bits,
    depthwise_numbers,
    joined,
    product_numbers,
)
from app.compiler.cuda.geometry import window as window_of
from app.compiler.cuda.network import KINDS, LONGEST_ROW
from app.compiler.padding import resolve
from app.compiler.passes.cuda.plan import BYTES, Plan, Refused, Step, rows_of
from app.compiler.passes.patterns import scalar
from app.compiler.program import Operation, Program

_MOST_PRODUCTS = 6_000_000_000
"""Above that many multiplications each operation is better a kernel by itself: launching hides behind computing."""
_FEW_ROWS = 8


def one_kernel(multiprocessors: int) -> Callable[[Program], Program]:
    """Before: fused operations and what stands between them. After: long runs of them are one `fused_network`."""

    def run(program: Program) -> Program:
        if sum(map(_products, program.operations)) > _MOST_PRODUCTS:
            return program
        operations: list[Operation] = []
        plan = Plan(multiprocessors)
        for place, operation in enumerate(program.operations):
            if plan.take(operation, _STEPS.get(operation.kind)):
                continue
            operations += plan.closed(_read_from(program, place), key=len(operations))
            plan = Plan(multiprocessors)
            if not plan.take(operation, _STEPS.get(operation.kind)):
                operations.append(operation)
                plan = Plan(multiprocessors)
        operations += plan.closed(_read_from(program, len(program.operations)), key=len(operations))
        return replace(program, operations=tuple(operations))

    return run


def _products(operation: Operation) -> int:
    """How many multiplications the operation takes, as far as it has weights."""
    weight = operation.constant("weight")
    if weight is None:
        return 0
    own = weight.size if operation.kind == "fused_depthwise" else weight.size // weight.shape[0]
    size = math.prod(operation.output.shape)
    return size * own // (operation.output.shape[-1] if operation.kind == "fused_depthwise" else 1)


def _read_from(program: Program, place: int) -> set[str]:
    """The names that the operations from there on read, or that are outputs."""
    names = {value.name for operation in program.operations[place:] for value in operation.values()}
    return names | {value.name for _, value in program.outputs}


def _product(plan: Plan, operation: Operation, window: Window | None, rows: int, columns: int, depth: int) -> None:
    given = operation.inputs
    x, residual = plan.whole(given["x"]), given.get("residual")
    other = plan.whole(residual) if residual is not None else x
    flags = (BIAS if "bias" in given else 0) | (FACTOR if "factor" in given else 0)
    if residual is not None:
        flags |= RESIDUAL | (RESIDUAL_FIRST if given.get("residual_first") else 0)
    constants = (plan.weight(given["weight"]), plan.vector(given.get("bias")), plan.vector(given.get("factor")))
    numbers = product_numbers(rows, columns, depth, window, flags, _activation(operation))
    out = plan.result(operation.output)
    if (window is None or window.is_point) and rows <= _FEW_ROWS:
        plan.step("few rows", rows * columns, (x, other), out, numbers, constants)
        return
    kind, high, wide = _tile(plan, rows, columns, depth)
    plan.step(kind, -(-rows // high) * -(-columns // wide), (x, other), out, numbers, constants)


def _tile(plan: Plan, rows: int, columns: int, depth: int) -> tuple[str, int, int]:
    """Four tiles a block where there are enough of them or the sums are short; else the block on one, as small as
    it can be without a second turn. Starting and ending a tile takes about as long as four slices.
    """
    slices = -(-depth * BYTES[plan.dtype or "fp32"] // 128)
    if -(-rows // 64) * -(-columns // 64) >= 2 * plan.multiprocessors or slices <= 2:
        return "product 64 64 alone", 64, 64

    def turns(sides: tuple[int, int]) -> tuple[int, int]:
        pieces = -(-rows // sides[0]) * -(-columns // sides[1])
        return -(-pieces // plan.multiprocessors) * (4 + -(-slices // 4)), sum(sides)

    high, wide = min(((32, 32), (64, 32), (64, 64)), key=turns)
    return f"product {high} {wide} together", high, wide


def _linear(plan: Plan, operation: Operation) -> None:
    """fused_linear."""
    x, columns = operation.value("x"), operation.output.shape[-1]
    if x is None:
        raise Refused
    _product(plan, operation, None, math.prod(x.shape[:-1]), columns, x.shape[-1])


def _conv(plan: Plan, operation: Operation) -> None:
    """fused_conv."""
    weight = operation.constant("weight")
    if weight is None:
        raise Refused
    window = joined(_window(operation, weight.shape[1:3]))
    rows = math.prod(operation.output.shape[:-1])
    _product(plan, operation, window, rows, weight.shape[0], weight.size // weight.shape[0])


def _window(operation: Operation, kernel: tuple[int, ...]) -> Window:
    x = operation.value("x")
    assert x is not None
    strides, pad = operation.numbers("strides"), operation.numbers("pad")
    return window_of(x.shape, kernel, strides, pad, operation.numbers("dilations", (1, 1)))


def _depthwise(plan: Plan, operation: Operation) -> None:
    """fused_depthwise with a square kernel that the network kernel holds."""
    weight = operation.constant("weight")
    if weight is None or f"depthwise {weight.shape[0]}" not in KINDS or weight.shape[0] != weight.shape[1]:
        raise Refused
    given = operation.inputs
    x = plan.whole(given["x"])
    window = _window(operation, weight.shape[:2])
    numbers = depthwise_numbers(x.shape[0], window, "bias" in given, _activation(operation))
    constants = (plan.weight(given["weight"]), plan.vector(given.get("bias")), 0)
    out = plan.result(operation.output)
    pieces = math.prod(out.shape[:-1]) * plan.vectors(out.shape[-1])
    plan.step(f"depthwise {weight.shape[0]}", pieces, (x,), out, numbers, constants)


def _mean(plan: Plan, operation: Operation) -> None:
    """fused_mean."""
    x = plan.whole(operation.inputs["x"])
    vectors = plan.vectors(x.shape[-1])
    out = plan.result(operation.output)
    plan.step("mean", x.shape[0] * -(-vectors // 8), (x,), out, [x.shape[1] * x.shape[2], x.shape[3]])


def _norm(plan: Plan, operation: Operation) -> None:
    """layer_norm over the last axis."""
    x = plan.whole(operation.inputs["x"])
    if [axis % len(x.shape) for axis in operation.numbers("axes", (0, 1))] != [len(x.shape) - 1]:
        raise Refused
    gamma, beta = operation.constant("gamma"), operation.constant("beta")
    plan.vectors(x.shape[-1])
    if x.shape[-1] > LONGEST_ROW:
        raise Refused
    epsilon = scalar(operation.inputs.get("epsilon", 1e-5))
    flags = (gamma is not None) | (beta is not None) * 2
    numbers = [0, x.shape[-1], flags, bits(epsilon if epsilon is not None else 1e-5)]
    rows = math.prod(x.shape[:-1])
    out = plan.result(operation.output)
    plan.step("layer norm", rows, (x,), out, numbers, (0, plan.vector(gamma), plan.vector(beta)))


def _attention(plan: Plan, operation: Operation) -> None:
    """attention without a mask, of heads that the kernel holds."""
    given = operation.inputs
    q, k, v = (plan.view(given[name]) for name in ("query", "key", "value"))
    depth = q.shape[-1]
    alike = len(q.shape) == 4 and v.shape[-1] == depth and f"attention {depth}" in KINDS
    dense = all(view.strides[-1] == 1 and not any(s % 2 for s in view.strides[:-1]) for view in (q, k, v))
    if not alike or not dense or "mask" in given or any(view.offset % 2 for view in (q, k, v)):
        raise Refused
    images, heads, rows, _ = q.shape
    numbers = [images, heads, rows, k.shape[2]]
    for view in (q, k, v):
        numbers += view.strides[:3]
    numbers.append(bits(scalar(given.get("scale", 1.0)) or 0.0))
    # The kernel writes rows of all heads, as the next product wants them; the output is that, transposed.
    out = plan.result(operation.output, (images, rows, heads, depth))
    order = (0, 2, 1, 3)
    plan.views[operation.output.name] = replace(
        out, shape=tuple(out.shape[a] for a in order), strides=tuple(out.strides[a] for a in order)
    )
    plan.step(f"attention {depth}", images * heads * -(-rows // 16), (q, k, v), out, numbers)


def _gate(plan: Plan, operation: Operation) -> None:
    """mul of N, H, W, C with N, 1, 1, C."""
    for name, other in (("x", "y"), ("y", "x")):
        x, by = operation.value(name), operation.value(other)
        if x and by and len(x.shape) == 4 and by.shape == (x.shape[0], 1, 1, x.shape[3]) and x.shape != by.shape:
            whole, factors = plan.whole(x), plan.whole(by)
            vectors = plan.vectors(x.shape[3])
            space = x.shape[1] * x.shape[2]
            out = plan.result(operation.output)
            plan.step("gate", x.shape[0] * space * vectors, (whole, factors), out, [x.shape[0], space, x.shape[3]])
            return
    raise Refused


def _max_pool(plan: Plan, operation: Operation) -> None:
    """max_pool over H and W, channels last."""
    x = plan.whole(operation.inputs["x"])
    if len(x.shape) != 4 or not operation.inputs.get("channels_last"):
        raise Refused
    kernel = operation.numbers("kernel_sizes")
    strides = operation.numbers("strides", (1, 1))
    pad_type = str(operation.inputs.get("pad_type", "valid"))
    pads = resolve(pad_type, operation.numbers("pad"), x.shape[1:3], kernel, strides, (1, 1))
    vectors = plan.vectors(x.shape[3])
    out = plan.result(operation.output)
    numbers = [x.shape[0], *x.shape[1:], *out.shape[1:3], *kernel, *strides, pads[0][0], pads[1][0]]
    plan.step("max pool", math.prod(out.shape[:3]) * vectors, (x,), out, numbers)


def _reshape(plan: Plan, operation: Operation) -> None:
    """The same numbers in another shape."""
    plan.typed(operation.output)
    x, shape = plan.whole(operation.inputs["x"]), operation.output.shape
    plan.views[operation.output.name] = replace(x, shape=shape, strides=rows_of(shape))


def _transpose(plan: Plan, operation: Operation) -> None:
    """The axes in another order."""
    plan.typed(operation.output)
    x = plan.view(operation.inputs["x"])
    perm = [axis % len(x.shape) for axis in operation.numbers("perm")]
    plan.views[operation.output.name] = replace(
        x, shape=tuple(x.shape[a] for a in perm), strides=tuple(x.strides[a] for a in perm)
    )


def _slice_by_index(plan: Plan, operation: Operation) -> None:
    """One index of some axes, which fall away, and all of the others."""
    plan.typed(operation.output)
    x = plan.view(operation.inputs["x"])
    rank = len(x.shape)
    masks = {name: operation.numbers(name, (0,) * rank) for name in ("begin_mask", "end_mask", "squeeze_mask")}
    begins, ends = operation.numbers("begin"), operation.numbers("end")
    offset, left = x.offset, []
    for axis in range(rank):
        if masks["squeeze_mask"][axis]:
            offset += begins[axis] % x.shape[axis] * x.strides[axis]
            continue
        whole = (masks["begin_mask"][axis] or begins[axis] == 0) and (
            masks["end_mask"][axis] or ends[axis] >= x.shape[axis]
        )
        if not whole or operation.numbers("stride", (1,) * rank)[axis] != 1:
            raise Refused
        left.append(axis)
    plan.views[operation.output.name] = replace(
        x, offset=offset, shape=tuple(x.shape[a] for a in left), strides=tuple(x.strides[a] for a in left)
    )


def _activation(operation: Operation) -> tuple[str, float, float]:
    given = operation.inputs
    alpha, beta = scalar(given.get("alpha", 0.0)), scalar(given.get("beta", 0.0))
    return str(given.get("activation", "none")), alpha or 0.0, beta or 0.0


_STEPS: Mapping[str, Step] = {
    "fused_linear": _linear,
    "fused_conv": _conv,
    "fused_depthwise": _depthwise,
    "fused_mean": _mean,
    "layer_norm": _norm,
    "attention": _attention,
    "mul": _gate,
    "max_pool": _max_pool,
    "reshape": _reshape,
    "expand_dims": _reshape,
    "squeeze": _reshape,
    "transpose": _transpose,
    "slice_by_index": _slice_by_index,
}
