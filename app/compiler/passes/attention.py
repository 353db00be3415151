"""softmax(q · kᵀ) · v -> one operation. Only algebraic identities: a scale moves from one factor to the product."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.compiler.passes.patterns import Found, Graph, either_order, rewrite, scalar
from app.compiler.program import Argument, Operation, Program, Value


def recognise_attention(program: Program) -> Program:
    """Before: matmul(softmax(scale * matmul(q, k transposed) + mask), v), the scale at q, k or their product, the mask
    left out or anything that broadcasts. After: attention(query, key, value, mask, scale).
    """
    return rewrite(program, _attention)


def take_before_transpose(program: Program) -> Program:
    """Before: a part of size 1 along axis i of transpose(x), and that axis dropped. After: transpose'(part of x).

    So q, k and v come out of one product of all three each by itself, and the batch stays in front.
    """
    return rewrite(_split_to_slices(program), _slice_of_transpose)


@dataclass(frozen=True, eq=False)
class _Scores:
    """scale * query · keyᵀ + mask, and the operations that make it."""

    query: Value
    key: Value
    key_turned: bool
    """Whether key has its last two axes the other way round: D, N."""
    mask: Argument | None
    scale: float
    inner: tuple[Operation, ...]


def _attention(graph: Graph, root: Operation) -> Found | None:
    weights, value = root.value("x"), root.value("y")
    if root.kind != "matmul" or weights is None or value is None or root.inputs.get("transpose_x"):
        return None
    softmax = graph.maker(weights, "softmax")
    if softmax is None or softmax.numbers("axis", (-1,))[0] % len(weights.shape) != len(weights.shape) - 1:
        return None
    scores = _scores(graph, softmax.inputs["x"])
    if scores is None:
        return None
    query, steps = scores.query, []
    key, value = scores.key, value
    if scores.key_turned:
        key, step = _turned(key, f"{root.output.name} key")
        steps.append(step)
    if root.inputs.get("transpose_y"):
        value, step = _turned(value, f"{root.output.name} value")
        steps.append(step)
    if not _fits(query, key, value, root.output, scores.mask):
        return None
    inputs: dict[str, Argument] = {"query": query, "key": key, "value": value, "scale": scores.scale}
    if scores.mask is not None:
        inputs["mask"] = scores.mask
    attention = Operation("attention", inputs, root.outputs)
    return Found((*steps, attention), (softmax, *scores.inner))


def _scores(graph: Graph, argument: Argument) -> _Scores | None:
    """One addition at most, then products with numbers, then the matrix product, then products with numbers again."""
    mask: Argument | None = None
    added = graph.maker(argument, "add")
    for scores, other in either_order(added) if added else ():
        found = _scaled_product(graph, scores)
        if found is not None and added is not None:
            mask = other
            return replace(found, mask=mask, inner=(added, *found.inner))
    return _scaled_product(graph, argument)


def _scaled_product(graph: Graph, argument: Argument) -> _Scores | None:
    below, scale, inner = _unscaled(graph, argument)
    product = graph.maker(below, "matmul")
    if product is None or product.inputs.get("transpose_x"):
        return None
    query, by_query, query_inner = _unscaled(graph, product.inputs["x"])
    key, by_key, key_inner = _unscaled(graph, product.inputs["y"])
    if not isinstance(query, Value) or not isinstance(key, Value):
        return None
    turned = not bool(product.inputs.get("transpose_y", False))
    return _Scores(query, key, turned, None, scale * by_query * by_key, (*inner, product, *query_inner, *key_inner))


def _unscaled(graph: Graph, argument: Argument) -> tuple[Argument, float, tuple[Operation, ...]]:
    """What stands under products and quotients with numbers, their product, and the operations."""
    scale, inner = 1.0, []
    while (made := graph.maker(argument, "mul", "real_div")) is not None:
        # What another operation reads as well has to be there anyway; then the product stays a factor of its own.
        if graph.readers.get(made.output.name, 0) != 1:
            break
        x, number = made.inputs["x"], scalar(made.inputs["y"])
        if number is None and made.kind == "mul":
            x, number = made.inputs["y"], scalar(made.inputs["x"])
        if number is None or not isinstance(x, Value) or x.shape != made.output.shape:
            break
        if made.kind == "real_div" and number == 0:
            break
        scale = scale / number if made.kind == "real_div" else scale * number
        argument = x
        inner.append(made)
    return argument, scale, tuple(inner)


def _turned(value: Value, name: str) -> tuple[Value, Operation]:
    """The value with its last two axes exchanged."""
    rank = len(value.shape)
    turned = Value(name, (*value.shape[:-2], value.shape[-1], value.shape[-2]), value.dtype)
    perm = np.array([*range(rank - 2), rank - 1, rank - 2])
    return turned, Operation("transpose", {"x": value, "perm": perm}, (turned,))


def _fits(query: Value, key: Value, value: Value, output: Value, mask: Argument | None) -> bool:
    """Whether all are B, heads, N, D (or without heads) with nothing to broadcast, and the mask widens no result."""
    rank = len(query.shape)
    if (
        rank not in (3, 4)
        or {len(key.shape), len(value.shape)} != {rank}
        or output.dtype not in ("fp16", "fp32", "bf16")
    ):
        return False
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2] == output.shape[:-2]:
        return False
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        return False
    if mask is None:
        return True
    if isinstance(mask, str | tuple) or (isinstance(mask, Value) and mask.dtype != output.dtype):
        return False
    scores = (*query.shape[:-1], key.shape[-2])
    shape = np.shape(mask) if not isinstance(mask, Value) else mask.shape
    return len(shape) <= rank and all(n in (1, m) for n, m in zip(shape[::-1], scores[::-1], strict=False))


def _split_to_slices(program: Program) -> Program:
    """split(transpose(x)) along one axis in parts of size 1, each read by one squeeze: slices instead."""
    graph = Graph(program)
    squeezed = {
        value.name: operation
        for operation in program.operations
        if operation.kind == "squeeze" and (value := operation.value("x")) and graph.readers[value.name] == 1
    }
    parts: dict[str, Operation] = {}
    for split in program.operations:
        x = split.value("x")
        if split.kind != "split" or x is None or graph.maker(x, "transpose") is None:
            continue
        axis = split.numbers("axis")[0] % len(x.shape)
        readers = [squeezed.get(value.name) for value in split.outputs]
        if any(value.shape[axis] != 1 for value in split.outputs):
            continue
        for place, squeeze in enumerate(readers):
            if squeeze is not None and [a % len(x.shape) for a in squeeze.numbers("axes")] == [axis]:
                parts[squeeze.output.name] = _one_of(x, axis, place, squeeze.outputs)
    if not parts:
        return program
    operations = tuple(
        parts[o.output.name] if o.kind == "squeeze" and o.output.name in parts else o for o in program.operations
    )
    return replace(program, operations=operations)


def _one_of(x: Value, axis: int, place: int, outputs: tuple[Value, ...]) -> Operation:
    """x at `place` of one axis, which falls away."""
    rank = len(x.shape)
    only = np.arange(rank) == axis
    inputs: dict[str, Argument] = {
        "x": x,
        "begin": np.where(only, place, 0),
        "end": np.where(only, place + 1, np.array(x.shape)),
        "begin_mask": ~only,
        "end_mask": ~only,
        "squeeze_mask": only,
    }
    return Operation("slice_by_index", inputs, outputs)


def _slice_of_transpose(graph: Graph, root: Operation) -> Found | None:
    """One index of one axis, everything of the others, out of a transposed tensor."""
    made = graph.maker(root.inputs.get("x"), "transpose") if root.kind == "slice_by_index" else None
    x = made.value("x") if made else None
    if made is None or x is None:
        return None
    rank = len(x.shape)
    squeezed = _flags(root, "squeeze_mask", rank)
    if sum(squeezed) != 1 or not _whole_but(root, made.output.shape, squeezed):
        return None
    axis = squeezed.index(True)
    begin = 0 if _flags(root, "begin_mask", rank)[axis] else root.numbers("begin")[axis]
    perm = [one % rank for one in made.numbers("perm")]
    left = [one for one in perm if one != perm[axis]]
    shape = tuple(n for a, n in enumerate(x.shape) if a != perm[axis])
    part = Value(f"{root.output.name} part", shape, x.dtype)
    turned = np.array([sorted(left).index(one) for one in left])
    steps = (
        _one_of(x, perm[axis], begin % made.output.shape[axis], (part,)),
        Operation("transpose", {"x": part, "perm": turned}, root.outputs),
    )
    # The transposed tensor itself stays for as long as another operation reads it.
    return Found(steps, ())


def _flags(operation: Operation, name: str, rank: int) -> list[bool]:
    return [bool(one) for one in operation.numbers(name, (0,) * rank)]


def _whole_but(part: Operation, shape: tuple[int, ...], squeezed: list[bool]) -> bool:
    """Whether the slice takes every axis whole that it does not squeeze."""
    rank = len(shape)
    begins, ends = part.numbers("begin"), part.numbers("end")
    open_begin, open_end = _flags(part, "begin_mask", rank), _flags(part, "end_mask", rank)
    strides = part.numbers("stride", (1,) * rank)
    return all(
        squeezed[a] or ((open_begin[a] or begins[a] == 0) and (open_end[a] or ends[a] == shape[a]) and strides[a] == 1)
        for a in range(rank)
    )
