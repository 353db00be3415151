"""Matrix products with constants -> linear, which every device has its best way for."""

from __future__ import annotations

import numpy as np

from app.compiler.passes.patterns import Found, Graph, either_order, rewrite
from app.compiler.program import Argument, Operation, Program, Value


def recognise_linear(program: Program) -> Program:
    """Before: matmul(x, constant matrix), then a constant added along the last axis. After: linear(x, weight, bias)."""
    return rewrite(rewrite(program, _linear), _with_bias)


def _linear(graph: Graph, root: Operation) -> Found | None:
    x, matrix = root.value("x"), root.constant("y")
    if root.kind != "matmul" or x is None or matrix is None or matrix.ndim != 2 or len(x.shape) < 2:
        return None
    if root.inputs.get("transpose_x"):
        return None
    weight = matrix if root.inputs.get("transpose_y") else np.ascontiguousarray(matrix.T)
    return Found((Operation("linear", {"x": x, "weight": weight}, root.outputs),), ())


def _with_bias(graph: Graph, root: Operation) -> Found | None:
    if root.kind != "add":
        return None
    for product, constant in either_order(root):
        linear = graph.maker(product, "linear")
        bias = _last_axis(constant, root.output) if linear and "bias" not in linear.inputs else None
        if linear and bias is not None and linear.output.shape == root.output.shape:
            return Found((Operation("linear", {**linear.inputs, "bias": bias}, root.outputs),), (linear,))
    return None


def _last_axis(argument: Argument, output: Value) -> np.ndarray | None:
    """A constant with one value for each place of the last axis."""
    if isinstance(argument, Value | str | tuple):
        return None
    constant = np.asarray(argument)
    size = output.shape[-1]
    if constant.size not in (1, size) or (constant.ndim and constant.shape[-1] != constant.size):
        return None
    return np.ascontiguousarray(np.broadcast_to(constant.reshape(-1), (size,)))
