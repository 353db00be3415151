"""Layers that work element by element, on one, two or several blobs."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, as_floats, as_truth, broadcast, constant, together
from app.compiler.network.layer import Layer, rebuilds

_ONE = {
    "ceil": mb.ceil,
    "floor": mb.floor,
    "sign": mb.sign,
    "round": mb.round,
    "exp2": mb.exp2,
    "sin": mb.sin,
    "cos": mb.cos,
    "tan": mb.tan,
    "asin": mb.asin,
    "acos": mb.acos,
    "atan": mb.atan,
    "sinh": mb.sinh,
    "cosh": mb.cosh,
    "tanh": mb.tanh,
    "atanh": mb.atanh,
    "erf": mb.erf,
}
_TWO = {
    "addBroadcastable": mb.add,
    "subtractBroadcastable": mb.sub,
    "multiplyBroadcastable": mb.mul,
    "divideBroadcastable": mb.real_div,
    "floorDivBroadcastable": mb.floor_div,
    "modBroadcastable": mb.mod,
    "minBroadcastable": mb.minimum,
    "maxBroadcastable": mb.maximum,
    "powBroadcastable": mb.pow,
}
_COMPARED = {
    "equal": mb.equal,
    "notEqual": mb.not_equal,
    "lessThan": mb.less,
    "lessEqual": mb.less_equal,
    "greaterThan": mb.greater,
    "greaterEqual": mb.greater_equal,
}
_LOGICAL = {"logicalAnd": mb.logical_and, "logicalOr": mb.logical_or, "logicalXor": mb.logical_xor}
_UNARY_EPSILON = 1e-6
"""NeuralNetwork.proto: what an epsilon that is unset or zero stands for."""


@rebuilds(*_ONE)
def one_operand(layer: Layer) -> Blob:
    """f(x)."""
    return layer.x.then(_ONE[layer.kind](x=layer.x.var))


@rebuilds("asinh")
def asinh(layer: Layer) -> Blob:
    """The inverse of sinh, which MIL has not: sign(x) * log(|x| + sqrt(x² + 1))."""
    x = layer.x.var
    size = mb.abs(x=x)
    root = mb.sqrt(x=mb.add(x=mb.square(x=x), y=np.float32(1)))
    return layer.x.then(mb.mul(x=mb.sign(x=x), y=mb.log(x=mb.add(x=size, y=root))))


@rebuilds("acosh")
def acosh(layer: Layer) -> Blob:
    """The inverse of cosh for x >= 1, which MIL has not: log(x + sqrt(x² - 1))."""
    x = layer.x.var
    root = mb.sqrt(x=mb.sub(x=mb.square(x=x), y=np.float32(1)))
    return layer.x.then(mb.log(x=mb.add(x=x, y=root)))


@rebuilds("copy")
def copy(layer: Layer) -> Blob:
    """x."""
    return layer.x


@rebuilds(*_TWO)
def two_operands(layer: Layer) -> Blob:
    """f(x, y), broadcast from the end."""
    return together(_TWO[layer.kind], layer.x, layer.input(1))


def _several(layer: Layer, operation: Callable[..., Any]) -> Blob:
    return reduce(lambda a, b: together(operation, a, b), layer.inputs)


@rebuilds("add")
def add(layer: Layer) -> Blob:
    """The sum of all inputs, or one input plus alpha."""
    if len(layer.inputs) == 1:
        return layer.x.then(mb.add(x=layer.x.var, y=np.float32(layer.parameters.alpha)))
    return _several(layer, mb.add)


@rebuilds("multiply")
def multiply(layer: Layer) -> Blob:
    """The product of all inputs, or one input times alpha."""
    if len(layer.inputs) == 1:
        return layer.x.then(mb.mul(x=layer.x.var, y=np.float32(layer.parameters.alpha)))
    return _several(layer, mb.mul)


@rebuilds("average")
def average(layer: Layer) -> Blob:
    """The mean of all inputs, element by element."""
    total = _several(layer, mb.add)
    return total.then(mb.mul(x=total.var, y=np.float32(1 / len(layer.inputs))))


@rebuilds("max")
def largest(layer: Layer) -> Blob:
    """The largest of all inputs, element by element."""
    return _several(layer, mb.maximum)


@rebuilds("min")
def smallest(layer: Layer) -> Blob:
    """The smallest of all inputs, element by element."""
    return _several(layer, mb.minimum)


@rebuilds("clip")
def clip(layer: Layer) -> Blob:
    """min(max(x, minVal), maxVal)."""
    low, high = np.float32(layer.parameters.minVal), np.float32(layer.parameters.maxVal)
    return layer.x.then(mb.clip(x=layer.x.var, alpha=low, beta=high))


@rebuilds("unary")
def unary(layer: Layer) -> Blob:
    """f(scale * x + shift); an unset scale is 1."""
    given, x = layer.parameters, layer.x.var
    if given.scale not in (0, 1):
        x = mb.mul(x=x, y=np.float32(given.scale))
    if given.shift:
        x = mb.add(x=x, y=np.float32(given.shift))
    alpha, epsilon = np.float32(given.alpha), np.float32(given.epsilon or _UNARY_EPSILON)
    functions: dict[int, Callable[[], Any]] = {
        given.SQRT: lambda: mb.sqrt(x=x),
        given.RSQRT: lambda: mb.rsqrt(x=x, epsilon=epsilon),
        given.INVERSE: lambda: mb.inverse(x=x, epsilon=epsilon),
        given.POWER: lambda: mb.pow(x=x, y=alpha),
        given.EXP: lambda: mb.exp(x=x),
        given.LOG: lambda: mb.log(x=x),
        given.ABS: lambda: mb.abs(x=x),
        given.THRESHOLD: lambda: mb.threshold(x=x, alpha=alpha),
    }
    return layer.x.then(functions[given.type]())


@rebuilds(*_COMPARED)
def compared(layer: Layer) -> Blob:
    """1 where the comparison of two inputs, or of one with alpha, is true, else 0."""
    other = layer.input(1) if len(layer.inputs) > 1 else constant(np.array(layer.parameters.alpha, np.float32))
    return together(lambda x, y: as_floats(_COMPARED[layer.kind](x=x, y=y)), layer.x, other)


@rebuilds(*_LOGICAL)
def logical(layer: Layer) -> Blob:
    """1 where the combination of two inputs is true, else 0; an input is true where it is not zero."""
    operation = _LOGICAL[layer.kind]
    return together(lambda x, y: as_floats(operation(x=as_truth(x), y=as_truth(y))), layer.x, layer.input(1))


@rebuilds("logicalNot")
def logical_not(layer: Layer) -> Blob:
    """1 where x is zero, else 0."""
    return layer.x.then(as_floats(mb.logical_not(x=as_truth(layer.x.var))))


@rebuilds("whereBroadcastable")
def where(layer: Layer) -> Blob:
    """The second input where the first is not zero, else the third."""
    condition, chosen, other = layer.x, layer.input(1), layer.input(2)
    shape = np.broadcast_shapes(condition.shape, chosen.shape, other.shape)
    # MIL infers the result's shape from the last two alone.
    if np.broadcast_shapes(chosen.shape, other.shape) != shape:
        chosen = broadcast(chosen, shape)
    y = mb.select(cond=as_truth(condition.var), a=chosen.var, b=other.var)
    return Blob(y, len(shape) - int(y.rank))
