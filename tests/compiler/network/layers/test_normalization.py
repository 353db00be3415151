"""Normalizing layers against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

SHAPES = [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)]


def channel(values):
    return values.reshape(-1, 1, 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_batchnorm_with_stored_statistics(check_layers, noise, shape):
    gamma, beta, mean = noise(3, seed=1), noise(3, seed=2), noise(3, seed=3)
    variance = noise(3, seed=4) ** 2
    check_layers(
        lambda b: b.add_batchnorm("layer", 3, gamma, beta, mean, variance, "x0", "y", epsilon=1e-3),
        lambda x: channel(gamma) * (x - channel(mean)) / np.sqrt(channel(variance) + 1e-3) + channel(beta),
        noise(*shape),
    )


@pytest.mark.parametrize(("instance", "axes"), [(True, (2, 3)), (False, (0, 2, 3))])
@pytest.mark.parametrize("batch", [1, 3])
def test_batchnorm_with_computed_statistics(network, run_network, noise, instance, axes, batch):
    gamma, beta, x = noise(3, seed=1), noise(3, seed=2), noise(batch, 3, 4, 5)
    specification = network(
        lambda b: b.add_batchnorm("layer", 3, gamma, beta, None, None, "x0", "y", True, True), x.shape
    )
    specification.neuralNetwork.layers[0].batchnorm.instanceNormalization = instance
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    wanted = channel(gamma) * (x - mean) / np.sqrt(variance + 1e-5) + channel(beta)
    (given,) = run_network(specification, x)
    np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("divide", [True, False])
def test_mean_variance(check_layers, noise, shape, across, divide):
    axes = (-3, -2, -1) if across else (-2, -1)

    def expected(x):
        centred = x - x.mean(axes, keepdims=True)
        return centred / np.sqrt(x.var(axes, keepdims=True) + 1e-3) if divide else centred

    check_layers(lambda b: b.add_mvn("layer", "x0", "y", across, divide, 1e-3), expected, noise(*shape), rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_l2_normalize(check_layers, noise, shape):
    check_layers(
        lambda b: b.add_l2_normalize("layer", "x0", "y", 1e-2),
        lambda x: x / np.sqrt((x**2).sum((-3, -2, -1), keepdims=True) + 1e-2),
        noise(*shape),
    )


@pytest.mark.parametrize("shape", [(7, 2, 3), (2, 7, 2, 3)])
@given(size=st.sampled_from([1, 3, 5]), k=st.sampled_from([0.0, 2.0]))
def test_local_response(check_layers, noise, shape, size, k):
    """A constant of zero is one that was not set, which means 1."""

    def expected(x):
        squares = np.zeros_like(x)
        for c in range(7):
            squares[..., c, :, :] = (x[..., max(c - size // 2, 0) : c + size // 2 + 1, :, :] ** 2).sum(-3)
        return x / ((k or 1) + 0.7 / size * squares) ** 0.75

    check_layers(lambda b: b.add_lrn("layer", "x0", "y", 0.7, 0.75, size, k), expected, noise(*shape))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_layer_normalization(check_layers, noise, axes):
    x = noise(2, 3, 4)
    shape = x.shape[-axes:]
    gamma, beta, last = noise(*shape, seed=1), noise(*shape, seed=2), tuple(range(-axes, 0))
    check_layers(
        lambda b: b.add_layer_normalization("layer", "x0", "y", list(shape), gamma, beta, 1e-3),
        lambda x: gamma * (x - x.mean(last, keepdims=True)) / np.sqrt(x.var(last, keepdims=True) + 1e-3) + beta,
        x,
        rtol=1e-4,
    )
