"""What is made of additions and products gives what the function itself gives in float64, up to float32's rounding."""

import math

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops import functions_cpu as functions

ERF = np.vectorize(math.erf)
FAR = [-3e38, -1e4, -100.0, -20.0, -0.0, 0.0, 1e-30, 20.0, 100.0, 1e4, 3e38]
X = np.concatenate([np.linspace(-14, 14, 20001), np.linspace(-0.01, 0.01, 201), FAR]).astype(np.float32)


def normal_distribution(x):
    return 0.5 * np.vectorize(math.erfc)(-x / math.sqrt(2))


def logistic(x):
    return np.exp(-np.logaddexp(0, -x))


def tanh_gelu(x):
    with np.errstate(over="ignore"):
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (functions.cpu_erf, ERF),
        (functions.cpu_tanh, np.tanh),
        (functions.cpu_sigmoid, logistic),
        (functions.cpu_silu, lambda x: x * logistic(x)),
        (functions.cpu_gelu, lambda x: x * normal_distribution(x)),
        (lambda x: functions.cpu_gelu(x, mode="SIGMOID_APPROXIMATION"), lambda x: x * logistic(1.702 * x)),
        (lambda x: functions.cpu_gelu(x, mode="TANH_APPROXIMATION"), tanh_gelu),
    ],
)
def test_a_function_is_right_to_a_few_units_in_the_last_place(function, expected):
    x = X[np.abs(X) < 1e12] if expected is tanh_gelu else X  # its cube leaves float32, as MLX's own does
    wanted = expected(x.astype(np.float64))
    error = np.abs(np.array(function(mx.array(x))) - wanted)
    assert (error / np.maximum(1, np.abs(x))).max() < 4 * 2.0**-23


@pytest.mark.parametrize("function", [functions.cpu_erf, functions.cpu_tanh, functions.cpu_sigmoid, functions.cpu_gelu])
def test_a_nan_stays_one(function):
    assert np.isnan(np.array(function(mx.array([1.0, math.nan])))).tolist() == [False, True]


@pytest.mark.parametrize(("function", "ends"), [(functions.cpu_erf, (-1, 1)), (functions.cpu_tanh, (-1, 1))])
def test_infinity_gives_the_limit(function, ends):
    assert np.array(function(mx.array([-math.inf, math.inf]))).tolist() == list(ends)


@given(
    rows=st.integers(1, 9), width=st.integers(1, 200), scale=st.sampled_from([0.1, 3.0, 60.0]), seed=st.integers(0, 99)
)
def test_softmax(rows, width, scale, seed):
    x = (np.random.default_rng(seed).standard_normal((2, rows, width)) * scale).astype(np.float32)
    wide = x.astype(np.float64)
    terms = np.exp(wide - wide.max(axis=-1, keepdims=True))
    result = np.array(functions.cpu_softmax(mx.array(x)))
    np.testing.assert_allclose(result, terms / terms.sum(axis=-1, keepdims=True), atol=2e-6 * max(1, scale / 10))
    np.testing.assert_array_equal(np.array(functions.row_max(mx.array(x))), x.max(axis=-1, keepdims=True))


@pytest.mark.parametrize("row", [[-3.4e38] * 4, [-3.4e38, 1.0, 2.0, 3.0], [-3e38, 3e38, 0.0, 3e38]])
def test_softmax_of_numbers_at_the_end_of_float32(row):
    wide = np.array(row)
    terms = np.exp(wide - wide.max())
    np.testing.assert_allclose(np.array(functions.cpu_softmax(mx.array(row))), terms / terms.sum(), atol=1e-6)


def test_softmax_of_what_is_masked_with_infinity_is_zero():
    result = np.array(functions.cpu_softmax(mx.array([[0.0, -math.inf, 0.0]])))
    np.testing.assert_allclose(result, [[0.5, 0, 0.5]], atol=1e-30)
