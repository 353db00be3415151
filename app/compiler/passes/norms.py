"""Normalisations written out in simple operations -> layer_norm and rms_norm. Only algebraic identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.compiler.passes.patterns import Found, Graph, either_order, is_number, rewrite, same, scalar
from app.compiler.program import Argument, Operation, Program, Value


def recognise_norms(program: Program) -> Program:
    """Before: (x - mean) / sqrt(mean of squares of that + epsilon), or x / sqrt(mean of its squares + epsilon).
    After: layer_norm, rms_norm. Then a product and a sum with constants over the same axes become gamma and beta.
    """
    return rewrite(rewrite(rewrite(program, _bare), _with_gamma), _with_beta)


@dataclass(frozen=True, eq=False)
class _Mean:
    """What was averaged, over which axes, and the operations that did it."""

    of: Argument
    axes: tuple[int, ...]
    inner: tuple[Operation, ...]


def _bare(graph: Graph, root: Operation) -> Found | None:
    """y * rsqrt(v), y / sqrt(v): v the variance of y plus epsilon, y = x - mean(x) or x itself."""
    if root.kind not in ("mul", "real_div") or root.output.dtype not in ("fp16", "fp32", "bf16"):
        return None
    pairs = either_order(root) if root.kind == "mul" else [(root.inputs["x"], root.inputs["y"])]
    for y, factor in pairs:
        root_of = _root_of(graph, factor, inverted=root.kind == "mul")
        if root_of is None or not isinstance(y, Value) or y.shape != root.output.shape:
            continue
        mean, epsilon = root_of
        square = _square_of(graph, mean.of, y)
        if square is None or not mean.axes:
            continue
        axes = np.array([axis % len(y.shape) for axis in mean.axes])
        inner = (*mean.inner, square)
        centred = _centred(graph, y, axes)
        if centred is not None:
            x, more = centred
            norm = Operation("layer_norm", {"x": x, "axes": axes, "epsilon": epsilon}, root.outputs)
            return Found((norm,), (*inner, *more))
        return Found((Operation("rms_norm", {"x": y, "axes": axes, "epsilon": epsilon}, root.outputs),), inner)
    return None


def _root_of(graph: Graph, argument: Argument, *, inverted: bool) -> tuple[_Mean, float] | None:
    """The mean under a root, and what was added to it. `inverted`: 1 / root is asked for."""
    made = graph.maker(argument, "rsqrt", "pow", "real_div") if inverted else graph.maker(argument, "sqrt", "pow")
    if made is None:
        return None
    inner: tuple[Operation, ...] = (made,)
    epsilon = 0.0
    if made.kind == "pow":
        if not is_number(made.inputs["y"], -0.5 if inverted else 0.5):
            return None
        below = made.inputs["x"]
    elif made.kind == "real_div":
        under = graph.maker(made.inputs["y"], "sqrt")
        if under is None or not is_number(made.inputs["x"], 1.0):
            return None
        inner, below = (made, under), under.inputs["x"]
    else:
        below = made.inputs["x"]
        if made.kind == "rsqrt":
            epsilon = scalar(made.inputs.get("epsilon", 1e-12)) or 0.0
    added = graph.maker(below, "add")
    for total, number in either_order(added) if added else ():
        if added and (small := scalar(number)) is not None:
            epsilon, below, inner = epsilon + small, total, (*inner, added)
            break
    mean = _mean(graph, below)
    return (_Mean(mean.of, mean.axes, (*inner, *mean.inner)), epsilon) if mean and epsilon >= 0 else None


def _mean(graph: Graph, argument: Argument) -> _Mean | None:
    made = graph.maker(argument, "reduce_mean")
    if made is None or not bool(made.inputs.get("keep_dims", False)):
        return None
    x = made.inputs["x"]
    rank = len(x.shape) if isinstance(x, Value) else 0
    axes = tuple(sorted(axis % rank for axis in made.numbers("axes", tuple(range(rank))))) if rank else ()
    return _Mean(x, axes, (made,))


def _square_of(graph: Graph, argument: Argument, y: Value) -> Operation | None:
    """The operation that squares y."""
    made = graph.maker(argument, "square", "mul", "pow")
    if made is None or not same(made.inputs["x"], y):
        return None
    if made.kind == "mul":
        return made if same(made.inputs["y"], y) else None
    return made if made.kind == "square" or is_number(made.inputs["y"], 2.0) else None


def _centred(graph: Graph, y: Value, axes: np.ndarray) -> tuple[Value, tuple[Operation, ...]] | None:
    """x, when y = x - mean(x) over just these axes."""
    made = graph.maker(y, "sub")
    x = made.value("x") if made else None
    mean = _mean(graph, made.inputs["y"]) if made else None
    if made is None or x is None or mean is None or not same(mean.of, x) or mean.axes != tuple(axes):
        return None
    return x, (made, *mean.inner)


def _with_gamma(graph: Graph, root: Operation) -> Found | None:
    """norm(x) * gamma."""
    if root.kind != "mul":
        return None
    for given, constant in either_order(root):
        norm = graph.maker(given, "layer_norm", "rms_norm")
        if norm and not norm.inputs.keys() & {"gamma", "beta"}:
            gamma = _over_axes(norm, constant)
            if gamma is not None:
                return Found((Operation(norm.kind, {**norm.inputs, "gamma": gamma}, root.outputs),), (norm,))
    return None


def _with_beta(graph: Graph, root: Operation) -> Found | None:
    """norm(x) + beta."""
    if root.kind != "add":
        return None
    for given, constant in either_order(root):
        norm = graph.maker(given, "layer_norm")
        if norm and "beta" not in norm.inputs:
            beta = _over_axes(norm, constant)
            if beta is not None:
                return Found((Operation(norm.kind, {**norm.inputs, "beta": beta}, root.outputs),), (norm,))
    return None


def _over_axes(norm: Operation, argument: Argument) -> np.ndarray | None:
    """A constant that spans the axes of the norm and no other, in the shape of those axes."""
    shape, rank = norm.output.shape, len(norm.output.shape)
    if isinstance(argument, Value | str | tuple) or np.ndim(argument) > rank:
        return None
    constant = np.asarray(argument)
    wide = constant.reshape((1,) * (rank - constant.ndim) + constant.shape)
    axes = [axis % rank for axis in norm.numbers("axes", tuple(range(rank)))]
    spanned = tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
    if any(size not in (1, most) for size, most in zip(wide.shape, spanned, strict=True)):
        return None
    return np.broadcast_to(wide, spanned).reshape(tuple(shape[axis] for axis in axes))
