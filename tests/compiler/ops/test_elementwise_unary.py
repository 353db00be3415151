"""Unary operations against NumPy."""

import math

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])
SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=6)

# kind -> NumPy's function, least and largest input
PLAIN = {
    "abs": (np.abs, -4, 4),
    "acos": (np.arccos, -0.9, 0.9),
    "asin": (np.arcsin, -0.9, 0.9),
    "atan": (np.arctan, -4, 4),
    "atanh": (np.arctanh, -0.8, 0.8),
    "ceil": (np.ceil, -4, 4),
    "cos": (np.cos, -4, 4),
    "cosh": (np.cosh, -2, 2),
    "erf": (np.vectorize(math.erf), -3, 3),
    "exp": (np.exp, -4, 2),
    "exp2": (np.exp2, -4, 3),
    "floor": (np.floor, -4, 4),
    "sign": (np.sign, -4, 4),
    "sin": (np.sin, -4, 4),
    "sinh": (np.sinh, -2, 2),
    "sqrt": (np.sqrt, 0, 9),
    "square": (np.square, -4, 4),
    "tan": (np.tan, -1, 1),
    "tanh": (np.tanh, -4, 4),
}


def between(low, high, shape, dtype):
    return np.random.default_rng(0).uniform(low, high, shape).astype(dtype)


@pytest.mark.parametrize("kind", PLAIN)
@given(shape=SHAPES, dtype=FLOATS)
def test_unary(check, kind, shape, dtype):
    function, low, high = PLAIN[kind]
    check(lambda x: getattr(mb, kind)(x=x), function, between(low, high, shape, dtype))


@given(shape=SHAPES, dtype=FLOATS)
def test_round_takes_halves_to_even(check, shape, dtype):
    halves = np.round(between(-5, 5, shape, dtype)) + dtype(0.5)
    check(lambda x: mb.round(x=x), np.round, halves.astype(dtype))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("inverse", lambda x: 1 / (x + 0.25)),
        ("log", lambda x: np.log(x + 0.25)),
        ("rsqrt", lambda x: 1 / np.sqrt(x + 0.25)),
    ],
)
@given(shape=SHAPES, dtype=FLOATS)
def test_epsilon_is_added_first(check, kind, expected, shape, dtype):
    check(lambda x: getattr(mb, kind)(x=x, epsilon=dtype(0.25)), expected, between(0.1, 4, shape, dtype))


@given(shape=SHAPES, dtype=FLOATS)
def test_clip_and_threshold(check, shape, dtype):
    x = between(-4, 9, shape, dtype)
    check(lambda x: mb.clip(x=x, alpha=dtype(-1), beta=dtype(6)), lambda x: np.clip(x, -1, 6), x)
    check(lambda x: mb.threshold(x=x, alpha=dtype(1)), lambda x: np.maximum(x, 1), x)


def test_clip_keeps_what_is_not_a_number(run_mil):
    x = np.array([np.nan, np.inf, -np.inf], np.float32)
    np.testing.assert_array_equal(run_mil(lambda x: mb.clip(x=x, alpha=0.0, beta=6.0), x), [np.nan, 6, 0])


@given(shape=SHAPES)
def test_logical_not(check, shape):
    check(lambda x: mb.logical_not(x=x), np.logical_not, between(-1, 1, shape, np.float32) > 0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("abs", np.abs), ("sign", np.sign), ("square", np.square), ("exp2", lambda x: np.trunc(2.0**x).astype(np.int32))],
)
@given(shape=SHAPES)
def test_whole_numbers(check, kind, expected, shape):
    x = np.random.default_rng(0).integers(-5, 6, shape).astype(np.int32)
    check(lambda x: getattr(mb, kind)(x=x), expected, x)


@given(shape=SHAPES)
def test_threshold_of_whole_numbers(check, shape):
    x = np.random.default_rng(0).integers(-5, 6, shape).astype(np.int32)
    check(lambda x: mb.threshold(x=x, alpha=np.int32(2)), lambda x: np.maximum(x, 2), x)


TYPES = {
    "fp16": np.float16,
    "fp32": np.float32,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "uint16": np.uint16,
    "int32": np.int32,
    "bool": bool,
}


@pytest.mark.parametrize("source", TYPES)
@pytest.mark.parametrize("target", TYPES)
def test_cast_cuts_off_what_is_behind_the_point(run_mil, source, target):
    numbers = [0, 0.25, 1, 2.75, 3.5] if target.startswith("u") or source.startswith("u") else [-2.75, -0.5, 0, 0.5, 3]
    x = np.array(numbers, np.float32)
    given = run_mil(lambda x: mb.cast(x=mb.cast(x=x, dtype=source), dtype=target), x)
    assert given.dtype == TYPES[target]
    np.testing.assert_array_equal(given, x.astype(TYPES[source]).astype(TYPES[target]))
