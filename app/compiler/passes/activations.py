"""Activations written out in simple operations -> the one operation that they are. Only algebraic identities."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from app.compiler.passes.patterns import Found, Graph, either_order, is_number, rewrite, same, scalar
from app.compiler.program import Argument, Operation, Program, Value


def recognise_activations(program: Program) -> Program:
    """Before: x * 0.5 * (1 + erf(x / sqrt 2)), its tanh and logistic kin, x * sigmoid(x), x * hard_sigmoid(x), their
    factors grouped in any way. After: gelu, silu, hard_swish.
    """
    return rewrite(program, _activation)


_HALF_PRECISION = 2.0**-11
"""How far the quotient of two numbers may be off that a file keeps in fp16."""


@dataclass(frozen=True, eq=False)
class _Product:
    """A product of several factors, and the multiplications below its root."""

    factors: tuple[Argument, ...]
    inner: tuple[Operation, ...]


def _activation(graph: Graph, root: Operation) -> Found | None:
    if root.kind not in ("mul", "real_div"):
        return None
    for product in _products(graph, root):
        for search in (_gelu, _silu, _hard_swish):
            found = search(graph, root, product)
            if found is not None:
                return found
    return None


def _products(graph: Graph, root: Operation) -> Iterator[_Product]:
    """The root's product as two factors, and as three where a factor is itself a product."""
    x, y = root.inputs["x"], root.inputs["y"]
    if root.kind == "real_div":
        number = scalar(y)
        if not number:
            return
        y = 1 / number
    yield _Product((x, y), ())
    for whole, other in ((x, y), (y, x)):
        part = graph.maker(whole, "mul", "real_div")
        if part is None:
            continue
        a, b = part.inputs["x"], part.inputs["y"]
        if part.kind == "real_div":
            number = scalar(b)
            if not number:
                continue
            b = 1 / number
        yield _Product((a, b, other), (part,))


def _gelu(graph: Graph, root: Operation, product: _Product) -> Found | None:
    """x, 1/2 and 1 + f(x) with f the error function or tanh; or x and half of that; or x and sigmoid(1.702 x)."""
    for x in product.factors:
        rest = [factor for factor in product.factors if factor is not x]
        if not isinstance(x, Value) or len(rest) != len(product.factors) - 1:
            continue
        if len(rest) == 2:
            gate = next((g for g, half in (rest, rest[::-1]) if is_number(half, 0.5)), None)
            inner = _one_plus(graph, gate, x, 1.0)
        else:
            inner = _one_plus(graph, rest[0], x, 0.5) or _logistic(graph, rest[0], x)
        if inner is not None:
            mode, operations = inner
            return _instead(root, "gelu", x, (*product.inner, *operations), mode=mode)
    return None


_Gate = tuple[str, tuple[Operation, ...]]
"""The mode of gelu that a gate belongs to, and the operations that make the gate."""


def _one_plus(graph: Graph, gate: Argument | None, x: Value, half: float) -> _Gate | None:
    """half + half * f(x)."""
    total = graph.maker(gate, "add")
    for constant, curve in either_order(total) if total else ():
        if not is_number(constant, half):
            continue
        inner: tuple[Operation, ...] = (total,) if total else ()
        if half != 1.0:
            scaled = graph.maker(curve, "mul")
            curve = next((c for c, h in either_order(scaled) if is_number(h, half)), 0.0) if scaled else 0.0
            inner = (*inner, scaled) if scaled else inner
        f = graph.maker(curve, "erf", "tanh")
        if f is None:
            continue
        below = _times(graph, f.inputs["x"], x, math.sqrt(0.5)) if f.kind == "erf" else _cubic(graph, f.inputs["x"], x)
        if below is not None:
            return ("EXACT" if f.kind == "erf" else "TANH_APPROXIMATION"), (*inner, f, *below)
    return None


def _logistic(graph: Graph, gate: Argument, x: Value) -> _Gate | None:
    """sigmoid(1.702 x)."""
    f = graph.maker(gate, "sigmoid")
    below = _times(graph, f.inputs["x"], x, 1.702) if f else None
    return ("SIGMOID_APPROXIMATION", (f, *below)) if f and below is not None else None


def _times(graph: Graph, argument: Argument, x: Value, number: float) -> tuple[Operation, ...] | None:
    """The operation that makes number * x, written as a product or a quotient."""
    made = graph.maker(argument, "mul", "real_div")
    if made is None:
        return None
    if made.kind == "real_div":
        return (made,) if same(made.inputs["x"], x) and is_number(made.inputs["y"], 1 / number) else None
    return (made,) if any(same(a, x) and is_number(b, number) for a, b in either_order(made)) else None


def _cubic(graph: Graph, argument: Argument, x: Value) -> tuple[Operation, ...] | None:
    """sqrt(2 / pi) * (x + 0.044715 x^3), the cube and the sum in any order."""
    outer = graph.maker(argument, "mul")
    for total, number in either_order(outer) if outer else ():
        added = graph.maker(total, "add")
        if added is None or outer is None or not is_number(number, math.sqrt(2 / math.pi)):
            continue
        for plain, cubed in either_order(added):
            below = _scaled_cube(graph, cubed, x) if same(plain, x) else None
            if below is not None:
                return (outer, added, *below)
    return None


def _scaled_cube(graph: Graph, argument: Argument, x: Value) -> tuple[Operation, ...] | None:
    """0.044715 x^3 as a power or as products."""
    inner: list[Operation] = []
    numbers: list[float] = []
    powers = 0
    left = [argument]
    while left:
        one = left.pop()
        if same(one, x):
            powers += 1
        elif (number := scalar(one)) is not None:
            numbers.append(number)
            if not is_number(one, 0.044715):
                return None
        elif (made := graph.maker(one, "mul", "pow", "square")) is not None:
            inner.append(made)
            if made.kind == "mul":
                left += [made.inputs["x"], made.inputs["y"]]
                continue
            exponent = 2.0 if made.kind == "square" else scalar(made.inputs["y"])
            if exponent not in (2.0, 3.0) or not same(made.inputs["x"], x):
                return None
            powers += int(exponent)
        else:
            return None
        if len(inner) > 4:
            return None
    return tuple(inner) if powers == 3 and len(numbers) == 1 else None


def _silu(graph: Graph, root: Operation, product: _Product) -> Found | None:
    """x and sigmoid(x)."""
    if len(product.factors) != 2:
        return None
    for x, gate in (product.factors, product.factors[::-1]):
        f = graph.maker(gate, "sigmoid")
        if isinstance(x, Value) and f and same(f.inputs["x"], x):
            return _instead(root, "silu", x, (f,))
    return None


def _hard_swish(graph: Graph, root: Operation, product: _Product) -> Found | None:
    """x and sigmoid_hard(x); or x, 1/6 and relu6(x + 3), or a clip to [0, 6] in its place."""
    if len(product.factors) == 2:
        for x, gate in (product.factors, product.factors[::-1]):
            f = graph.maker(gate, "sigmoid_hard")
            if isinstance(x, Value) and f and same(f.inputs["x"], x):
                alpha, beta = scalar(f.inputs.get("alpha", 0.2)), scalar(f.inputs.get("beta", 0.5))
                if alpha is None or beta is None:
                    return None
                x, cut = _uncut(graph, x, alpha, beta)
                return _instead(root, "hard_swish", x, (f, *cut), alpha=alpha, beta=beta)
        return None
    sixth = [factor for factor in product.factors if is_number(factor, 1 / 6)]
    rest = [factor for factor in product.factors if factor is not sixth[0]] if len(sixth) == 1 else []
    for x, gate in (rest, rest[::-1]) if len(rest) == 2 else ():
        below = _clipped_sum(graph, gate, x)
        if isinstance(x, Value) and below is not None:
            return _instead(root, "hard_swish", x, (*product.inner, *below), alpha=1 / 6, beta=0.5)
    return None


def _uncut(graph: Graph, x: Value, alpha: float, beta: float) -> tuple[Value, tuple[Operation, ...]]:
    """What x was before thresholded_relu set to zero what the gate sets to zero as well."""
    cut = graph.maker(x, "thresholded_relu")
    inner = cut.value("x") if cut else None
    if cut and inner and alpha > 0:
        border = scalar(cut.inputs.get("alpha"))
        if border is not None and math.isclose(border, -beta / alpha, rel_tol=_HALF_PRECISION):
            return inner, (cut,)
    return x, ()


def _clipped_sum(graph: Graph, gate: Argument, x: Argument) -> tuple[Operation, ...] | None:
    """min(max(x + 3, 0), 6)."""
    f = graph.maker(gate, "relu6", "clip")
    if f is None or (f.kind == "clip" and not (scalar(f.inputs["alpha"]) == 0 and is_number(f.inputs["beta"], 6.0))):
        return None
    added = graph.maker(f.inputs["x"], "add")
    fits = added and any(same(a, x) and is_number(b, 3.0) for a, b in either_order(added))
    return (f, added) if added and fits else None


def _instead(root: Operation, kind: str, x: Value, inner: tuple[Operation, ...], **given: Argument) -> Found | None:
    """The one operation, if it gives what the root gives: a constant of higher rank would have widened it."""
    if x.shape != root.output.shape or x.dtype != root.output.dtype:
        return None
    return Found((Operation(kind, {"x": x, **given}, root.outputs),), inner)
