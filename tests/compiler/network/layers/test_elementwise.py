"""Element-wise layers against NumPy."""

from __future__ import annotations

from math import erf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

ONE = {
    "ceil": np.ceil,
    "floor": np.floor,
    "sign": np.sign,
    "round": np.rint,
    "exp2": np.exp2,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "atanh": np.arctanh,
    "erf": np.vectorize(erf),
    "copy": lambda x: x,
}


@pytest.mark.parametrize("kind", ONE)
def test_functions_of_one_operand(check_layers, kind):
    x = np.linspace(-0.95, 0.95, 24, dtype=np.float32).reshape(2, 3, 4)
    check_layers(lambda b: getattr(b, f"add_{kind}")("layer", "x0", "y"), ONE[kind], x)


def test_acosh(check_layers):
    check_layers(
        lambda b: b.add_acosh("layer", "x0", "y"), np.arccosh, np.linspace(1, 30, 12, dtype=np.float32), rtol=1e-4
    )


TWO = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_div": np.floor_divide,
    "mod": np.mod,
    "min": np.minimum,
    "max": np.maximum,
}


@pytest.mark.parametrize("kind", TWO)
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_broadcast_functions_of_two_operands(check_layers, noise, kind, shape, data):
    other = [data.draw(st.sampled_from([1, size])) for size in shape][data.draw(st.integers(0, len(shape) - 1)) :]
    check_layers(
        lambda b: getattr(b, f"add_{kind}_broadcastable")("layer", ["x0", "x1"], "y"),
        TWO[kind],
        noise(*shape) * 5,
        noise(*other, seed=1) + 3,
    )


def test_powers(check_layers, noise):
    check_layers(
        lambda b: b.add_pow_broadcastable("layer", ["x0", "x1"], "y"), np.power, np.abs(noise(3, 4)), noise(4, seed=1)
    )


SEVERAL = {
    "ADD": lambda *x: sum(x),
    "MULTIPLY": lambda *x: np.prod(np.broadcast_arrays(*x), axis=0),
    "AVE": lambda *x: sum(x) / len(x),
    "MAX": lambda *x: np.maximum.reduce(np.broadcast_arrays(*x)),
    "MIN": lambda *x: np.minimum.reduce(np.broadcast_arrays(*x)),
}


@pytest.mark.parametrize("mode", SEVERAL)
@pytest.mark.parametrize("many", [2, 3])
def test_older_layers_of_several_operands(check_layers, noise, mode, many):
    shapes = [(2, 3, 4, 5), (2, 3, 1, 1), (2, 1, 4, 5)][:many]
    names = [f"x{i}" for i in range(many)]
    check_layers(
        lambda b: b.add_elementwise("layer", names, "y", mode),
        SEVERAL[mode],
        *(noise(*shape, seed=seed) for seed, shape in enumerate(shapes)),
    )


@pytest.mark.parametrize("mode", SEVERAL)
def test_a_vector_broadcasts_against_a_map_by_the_older_shape_rules(check_layers, noise, mode):
    check_layers(
        lambda b: b.add_elementwise("layer", ["x0", "x1"], "y", mode),
        lambda x, v: SEVERAL[mode](x, v.reshape(-1, 1, 1))[None, None],
        noise(3, 4, 5),
        noise(3, seed=1),
        rank_5=True,
    )


@pytest.mark.parametrize(("mode", "expected"), [("ADD", lambda x: x + 2.5), ("MULTIPLY", lambda x: x * 2.5)])
def test_one_operand_and_a_number(check_layers, noise, mode, expected):
    check_layers(lambda b: b.add_elementwise("layer", "x0", "y", mode, 2.5), expected, noise(3, 4))


UNARY = {
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x + 1e-2),
    "inverse": lambda x: 1 / (x + 1e-2),
    "power": lambda x: x**1.7,
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "threshold": lambda x: np.maximum(x, 1.7),
}


@pytest.mark.parametrize("mode", UNARY)
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (0.3, 0.5)])
def test_unary_functions_after_scale_and_shift(check_layers, noise, mode, shift, scale):
    check_layers(
        lambda b: b.add_unary("layer", "x0", "y", mode, alpha=1.7, shift=shift, scale=scale, epsilon=1e-2),
        lambda x: UNARY[mode](scale * x + shift),
        np.abs(noise(3, 4)) + 0.1,
    )


def test_a_unary_scale_of_zero_was_not_set(network, run_network, noise):
    specification = network(lambda b: b.add_unary("layer", "x0", "y", "abs"), (4,))
    specification.neuralNetwork.layers[0].unary.scale = 0
    np.testing.assert_array_equal(run_network(specification, noise(4))[0], np.abs(noise(4)))


COMPARED = {
    "equal": (lambda b, names, **a: b.add_equal("layer", names, "y", **a), np.equal),
    "not_equal": (lambda b, names, **a: b.add_not_equal("layer", names, "y", **a), np.not_equal),
    "less": (lambda b, names, **a: b.add_less_than("layer", names, "y", **a), np.less),
    "less_equal": (lambda b, names, **a: b.add_less_than("layer", names, "y", True, **a), np.less_equal),
    "greater": (lambda b, names, **a: b.add_greater_than("layer", names, "y", **a), np.greater),
    "greater_equal": (lambda b, names, **a: b.add_greater_than("layer", names, "y", True, **a), np.greater_equal),
}


@pytest.mark.parametrize("kind", COMPARED)
def test_comparisons_give_zeros_and_ones(check_layers, noise, kind):
    add, expected = COMPARED[kind]
    x = np.rint(noise(4, 5))
    check_layers(lambda b: add(b, ["x0", "x1"]), lambda a, b: expected(a, b) * 1.0, x, np.rint(noise(5, seed=1)))
    check_layers(lambda b: add(b, ["x0"], alpha=1.0), lambda a: expected(a, 1) * 1.0, x)


@pytest.mark.parametrize("mode", ["AND", "OR", "XOR"])
def test_logic(check_layers, noise, mode):
    expected = {"AND": np.logical_and, "OR": np.logical_or, "XOR": np.logical_xor}[mode]
    check_layers(
        lambda b: b.add_logical("layer", ["x0", "x1"], "y", mode),
        lambda a, b: expected(a, b) * 1.0,
        np.rint(noise(4, 5)),
        np.rint(noise(5, seed=1)),
    )


def test_logic_on_what_a_comparison_gave(check_layers, noise):
    def add(builder):
        builder.add_greater_than("above", ["x0"], "above", alpha=0.2)
        builder.add_logical("layer", ["above"], "y", "NOT")

    check_layers(add, lambda x: (x <= np.float32(0.2)) * 1.0, noise(6))


@pytest.mark.parametrize("shapes", [[(4, 1), (1, 5), (2, 4, 5)], [(2, 4, 5), (1,), (5,)], [(3,), (3,), (3,)]])
def test_where(check_layers, noise, shapes):
    condition, *others = (noise(*shape, seed=seed) for seed, shape in enumerate(shapes))
    check_layers(
        lambda b: b.add_where_broadcastable("layer", ["x0", "x1", "x2"], "y"),
        lambda c, a, b: np.where(c, a, b),
        np.rint(condition),
        *others,
    )


def test_clip(check_layers, noise):
    check_layers(lambda b: b.add_clip("layer", "x0", "y", -0.3, 0.6), lambda x: np.clip(x, -0.3, 0.6), noise(3, 5))
