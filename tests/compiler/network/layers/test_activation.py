"""Non-linearities against their formulas."""

from __future__ import annotations

from math import erf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

PLAIN = {
    "RELU": ([], lambda x: np.maximum(x, 0)),
    "LEAKYRELU": ([0.3], lambda x: np.where(x >= 0, x, 0.3 * x)),
    "TANH": ([], np.tanh),
    "SCALED_TANH": ([1.5, 0.7], lambda x: 1.5 * np.tanh(0.7 * x)),
    "SIGMOID": ([], lambda x: 1 / (1 + np.exp(-x))),
    "SIGMOID_HARD": ([0.3, 0.4], lambda x: np.clip(0.3 * x + 0.4, 0, 1)),
    "LINEAR": ([-2.0, 0.5], lambda x: -2 * x + 0.5),
    "ELU": (1.3, lambda x: np.where(x >= 0, x, 1.3 * (np.exp(x) - 1))),
    "THRESHOLDEDRELU": (0.4, lambda x: np.where(x >= np.float32(0.4), x, 0)),
    "SOFTSIGN": ([], lambda x: x / (1 + np.abs(x))),
    "SOFTPLUS": ([], lambda x: np.log1p(np.exp(x))),
}


@pytest.mark.parametrize("kind", PLAIN)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_formulas(check_layers, noise, kind, shape):
    params, expected = PLAIN[kind]
    check_layers(lambda b: b.add_activation("layer", kind, "x0", "y", params or None), expected, noise(*shape))


@pytest.mark.parametrize("alpha", [[0.2], [0.1, -0.2, 0.3]])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
def test_prelu_has_a_slope_for_all_or_for_each_channel(check_layers, noise, alpha, shape):
    slope = np.array(alpha, np.float32).reshape(-1, 1, 1)
    check_layers(
        lambda b: b.add_activation("layer", "PRELU", "x0", "y", np.array(alpha)),
        lambda x: np.where(x >= 0, x, slope * x),
        noise(*shape),
    )


def test_parametric_softplus(check_layers, noise):
    alpha, beta = np.array([0.5, 1.0, 2.0]), np.array([1.0, -1.0, 0.3])
    check_layers(
        lambda b: b.add_activation("layer", "PARAMETRICSOFTPLUS", "x0", "y", [alpha, beta]),
        lambda x: alpha.reshape(-1, 1, 1) * np.log1p(np.exp(beta.reshape(-1, 1, 1) * x)),
        noise(1, 3, 4, 5),
    )


def test_clamped_relu(check_layers, noise):
    check_layers(
        lambda b: b.add_clamped_relu("layer", "x0", "y", alpha=0.2, beta=0.6),
        lambda x: np.where(x >= 0, np.minimum(x, 0.6), np.minimum(0.2 * x, 0.6)),
        noise(3, 7),
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("EXACT", lambda x: 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))),
        ("TANH_APPROXIMATION", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        ("SIGMOID_APPROXIMATION", lambda x: x / (1 + np.exp(-1.702 * x))),
    ],
)
def test_gelu(check_layers, noise, mode, expected):
    check_layers(lambda b: b.add_gelu("layer", "x0", "y", mode), expected, noise(5, 6))


def softmax(x, axis):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
def test_softmax_is_along_the_channels(check_layers, noise, shape):
    check_layers(lambda b: b.add_softmax("layer", "x0", "y"), lambda x: softmax(x, -3), noise(*shape))


def test_softmax_of_a_vector_by_the_older_shape_rules(check_layers, noise):
    check_layers(
        lambda b: b.add_softmax("layer", "x0", "y"),
        lambda x: softmax(x, 0).reshape(1, 1, 7, 1, 1),
        noise(7),
        rank_5=True,
    )


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=5), data=st.data())
def test_softmax_along_any_axis(check_layers, noise, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    check_layers(lambda b: b.add_softmax_nd("layer", "x0", "y", axis), lambda x: softmax(x, axis), noise(*shape))
