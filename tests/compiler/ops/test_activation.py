"""Activations against NumPy."""

import math

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.activation import prelu, softplus_parametric

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])


def erf(x):
    return np.vectorize(math.erf)(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


PLAIN = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
}
WITH_NUMBERS = {
    "clamped_relu": ({"alpha": 0.25, "beta": 1.5}, lambda x: np.minimum(np.where(x >= 0, x, 0.25 * x), 1.5)),
    "leaky_relu": ({"alpha": 0.125}, lambda x: np.where(x >= 0, x, 0.125 * x)),
    "thresholded_relu": ({"alpha": 0.5}, lambda x: np.where(x >= 0.5, x, 0)),
    "elu": ({"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    "linear_activation": ({"alpha": 2.0, "beta": -1.0}, lambda x: 2 * x - 1),
    "scaled_tanh": ({"alpha": 1.5, "beta": 0.5}, lambda x: 1.5 * np.tanh(0.5 * x)),
    "sigmoid_hard": ({"alpha": 0.25, "beta": 0.5}, lambda x: np.clip(0.25 * x + 0.5, 0, 1)),
}
GELU = {
    "EXACT": lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "TANH_APPROXIMATION": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "SIGMOID_APPROXIMATION": lambda x: x * sigmoid(1.702 * x),
}


def values(shape, dtype, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 4).astype(dtype)


@pytest.mark.parametrize("kind", PLAIN)
@given(shape=array_shapes(min_dims=1, max_dims=5, max_side=7), dtype=FLOATS)
def test_activation(check, kind, shape, dtype):
    check(lambda x: getattr(mb, kind)(x=x), PLAIN[kind], values(shape, dtype))


@pytest.mark.parametrize("kind", WITH_NUMBERS)
@given(shape=array_shapes(min_dims=1, max_dims=5, max_side=7), dtype=FLOATS)
def test_activation_with_numbers(check, kind, shape, dtype):
    numbers, expected = WITH_NUMBERS[kind]
    # exact in both types, so that a value on the threshold is on the same side of it everywhere
    x = np.round(values(shape, dtype) * 8) / 8
    check(lambda x: getattr(mb, kind)(x=x, **{n: dtype(v) for n, v in numbers.items()}), expected, x.astype(dtype))


@pytest.mark.parametrize("mode", GELU)
@given(shape=array_shapes(min_dims=1, max_dims=4, max_side=7), dtype=FLOATS)
def test_gelu(check, mode, shape, dtype):
    check(lambda x: mb.gelu(x=x, mode=mode), GELU[mode], values(shape, dtype), scale=2)


@given(shape=array_shapes(min_dims=4, max_dims=4, max_side=6), dtype=FLOATS)
def test_prelu_has_one_slope_a_channel(check, shape, dtype):
    slopes = values(shape[1], dtype, seed=1)
    wide = slopes.astype(np.float64).reshape(-1, *(1,) * (len(shape) - 2))
    check(
        lambda x: mb.prelu(x=x, alpha=slopes),
        lambda x: np.where(x > 0, x, wide * x),
        values(shape, dtype),
    )


@given(shape=array_shapes(min_dims=3, max_dims=3, max_side=6), dtype=FLOATS)
def test_softplus_parametric_has_two_numbers_a_channel(check, shape, dtype):
    alpha, beta = values(shape[1], dtype, seed=1), values(shape[1], dtype, seed=2) / 4
    a, b = (v.astype(np.float64).reshape(-1, 1) for v in (alpha, beta))
    check(
        lambda x: mb.softplus_parametric(x=x, alpha=alpha, beta=beta),
        lambda x: a * np.log1p(np.exp(b * x)),
        values(shape, dtype),
        scale=4,
    )


@given(shape=array_shapes(min_dims=1, max_dims=4, max_side=9), dtype=FLOATS, data=st.data())
def test_softmax_sums_to_one_along_its_axis(check, shape, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))

    def expected(x):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    check(lambda x: mb.softmax(x=x, axis=axis), expected, values(shape, dtype))


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_numbers_a_channel_with_channels_last(rank):
    x = values((2, 3, 4, 2, 3)[:rank], np.float32)
    alpha, beta = mx.array(values(3, np.float32, 1)), mx.array(values(3, np.float32, 2))
    for function in (
        lambda x, **k: prelu(x, alpha=alpha, **k),
        lambda x, **k: softplus_parametric(x, alpha=alpha, beta=beta, **k),
    ):
        first = np.array(function(mx.array(x)))
        last = np.array(function(mx.array(x.transpose(0, *range(2, rank), 1)), channels_last=True))
        np.testing.assert_allclose(first, last.transpose(0, rank - 1, *range(1, rank - 1)), rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "x", "wanted"),
    [
        ("softplus", [60000, -60000], [60000, 0]),
        ("silu", [60000, -60000], [60000, 0]),
        ("softsign", [60000, -60000], [1, -1]),
        ("gelu", [60000, -60000], [60000, 0]),
        ("sigmoid", [60000, -60000], [1, 0]),
    ],
)
def test_large_halves_do_not_overflow(run_mil, kind, x, wanted):
    y = run_mil(lambda x: getattr(mb, kind)(x=x), np.array(x, np.float16))
    np.testing.assert_allclose(y, np.array(wanted, np.float16), rtol=1e-3)


@pytest.mark.parametrize("mode", ["TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"])
def test_large_halves_in_approximations_of_gelu(run_mil, mode):
    y = run_mil(lambda x: mb.gelu(x=x, mode=mode), np.array([60000, -60000], np.float16))
    np.testing.assert_allclose(y, np.array([60000, 0], np.float16), rtol=1e-3)


def test_softplus_parametric_of_large_halves(run_mil):
    x, alpha, beta = np.full((1, 1, 1), 1000, np.float16), np.array([0.001], np.float16), np.array([100], np.float16)
    y = run_mil(lambda x: mb.softplus_parametric(x=x, alpha=alpha, beta=beta), x)
    np.testing.assert_allclose(y, [[[100]]], rtol=2e-3)
