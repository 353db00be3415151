"""Binary operations, with every way to broadcast, against NumPy."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

pytestmark = pytest.mark.mlx

SHAPES = mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=4, max_side=5)
FLOAT = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "real_div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "pow": np.power,
    "floor_div": np.floor_divide,
    "mod": np.mod,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
}
WHOLE = ("add", "sub", "mul", "maximum", "minimum", "floor_div", "mod", "equal", "greater", "less_equal")
LOGICAL = {"logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor}


def operands(shapes, dtype):
    rng = np.random.default_rng(0)
    # eighths between 1/8 and 3: quotients are off the whole numbers or exactly on them in both types
    return [(rng.integers(1, 25, shape) / 8).astype(dtype) for shape in shapes.input_shapes]


@pytest.mark.parametrize("kind", FLOAT)
@given(shapes=SHAPES, dtype=st.sampled_from([np.float32, np.float16]))
def test_floats(check, kind, shapes, dtype):
    x, y = operands(shapes, dtype)
    check(lambda x, y: getattr(mb, kind)(x=x, y=y), FLOAT[kind], x, y)


@pytest.mark.parametrize("kind", WHOLE)
@given(shapes=SHAPES)
def test_whole_numbers(check, kind, shapes):
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-9, 10, shape).astype(np.int32) for shape in shapes.input_shapes)
    y[y == 0] = 3
    check(lambda x, y: getattr(mb, kind)(x=x, y=y), FLOAT[kind], x, y)


@pytest.mark.parametrize("kind", ["mod", "floor_div", "real_div", "pow"])
@given(shapes=SHAPES, dtype=st.sampled_from([np.float32, np.float16]))
def test_negative_numbers(check, kind, shapes, dtype):
    rng = np.random.default_rng(0)
    x, y = ((rng.integers(1, 25, s) * rng.choice([-1, 1], s) / 8).astype(dtype) for s in shapes.input_shapes)
    if kind == "pow":
        y = np.round(y)
    check(lambda x, y: getattr(mb, kind)(x=x, y=y), FLOAT[kind], x, y)


@given(shapes=SHAPES)
def test_whole_numbers_divide_towards_zero(check, shapes):
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-9, 10, shape).astype(np.int32) for shape in shapes.input_shapes)
    y[y == 0] = 3
    check(lambda x, y: mb.real_div(x=x, y=y), lambda x, y: np.trunc(x / y).astype(np.int32), x, y)


@given(shapes=SHAPES)
def test_whole_powers(check, shapes):
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-4, 5, shape).astype(np.int32) for shape in shapes.input_shapes)
    x[x == 0] = 1
    check(lambda x, y: mb.pow(x=x, y=y), lambda x, y: np.trunc(x.astype(float) ** y).astype(np.int32), x, y)


@pytest.mark.parametrize("kind", LOGICAL)
@given(shapes=SHAPES)
def test_truth(check, kind, shapes):
    x, y = (x > 1.5 for x in operands(shapes, np.float32))
    check(lambda x, y: getattr(mb, kind)(x=x, y=y), LOGICAL[kind], x, y)


@given(shapes=SHAPES, dtype=st.sampled_from([np.float32, np.float16]))
def test_a_constant_takes_the_type_of_its_partner(check, shapes, dtype):
    x, y = operands(shapes, dtype)
    check(lambda x: mb.mul(x=x, y=y), lambda x: x * y.astype(np.float64), x)


@given(shapes=SHAPES)
def test_select(check, shapes):
    a, b = operands(shapes, np.float32)
    a, b = np.broadcast_arrays(a, b)
    check(
        lambda c, a, b: mb.select(cond=c, a=a, b=b),
        lambda c, a, b: np.where(c, a, b),
        *(np.ascontiguousarray(v) for v in (a > b, a, b)),
    )
