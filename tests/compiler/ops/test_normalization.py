"""Normalisations against NumPy."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.normalization import batch_norm, instance_norm

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])


def values(shape, dtype, seed=0, low=-2.0, high=2.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def standardised(x, axes, epsilon):
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + epsilon)


def column(vector, rank):
    return vector.astype(np.float64).reshape(-1, *(1,) * (rank - 2))


@given(shape=array_shapes(min_dims=3, max_dims=5, max_side=5), dtype=FLOATS, affine=st.booleans())
def test_batch_norm(check, shape, dtype, affine):
    c, rank = shape[1], len(shape)
    mean, gamma, beta = (values(c, dtype, seed) for seed in (1, 2, 3))
    variance = values(c, dtype, 4, 0.5, 2)
    extra = {"gamma": gamma, "beta": beta} if affine else {}

    def expected(x):
        y = (x - column(mean, rank)) / np.sqrt(column(variance, rank) + 0.125)
        return y * column(gamma, rank) + column(beta, rank) if affine else y

    check(
        lambda x: mb.batch_norm(x=x, mean=mean, variance=variance, epsilon=dtype(0.125), **extra),
        expected,
        values(shape, dtype),
        scale=4,
    )


@given(shape=array_shapes(min_dims=3, max_dims=4, min_side=2, max_side=5), dtype=FLOATS)
def test_instance_norm(check, shape, dtype):
    c, rank = shape[1], len(shape)
    gamma, beta = values(c, dtype, 1), values(c, dtype, 2)
    check(
        lambda x: mb.instance_norm(x=x, gamma=gamma, beta=beta, epsilon=dtype(0.125)),
        lambda x: standardised(x, tuple(range(2, rank)), 0.125) * column(gamma, rank) + column(beta, rank),
        values(shape, dtype),
        scale=8,
    )


@given(
    shape=array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=6),
    dtype=FLOATS,
    affine=st.booleans(),
    data=st.data(),
)
def test_layer_norm(check, shape, dtype, affine, data):
    axes = sorted(data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True)))
    spans = [shape[axis] for axis in axes]
    gamma, beta = values(spans, dtype, 1), values(spans, dtype, 2)
    wide = tuple(n if axis in axes else 1 for axis, n in enumerate(shape))
    extra = {"gamma": gamma, "beta": beta} if affine else {}

    def expected(x):
        y = standardised(x, tuple(axes), 0.125)
        return y * gamma.astype(float).reshape(wide) + beta.astype(float).reshape(wide) if affine else y

    check(
        lambda x: mb.layer_norm(x=x, axes=axes, epsilon=dtype(0.125), **extra), expected, values(shape, dtype), scale=8
    )


def test_layer_norm_of_large_halves_does_not_overflow(run_mil):
    x = np.array([[[-3000, 3000, -3000, 3000]]], np.float16)
    y = run_mil(lambda x: mb.layer_norm(x=x, axes=[1, 2], epsilon=np.float16(1e-3)), x)
    np.testing.assert_allclose(y, [[[-1, 1, -1, 1]]], rtol=1e-3)


@given(shape=array_shapes(min_dims=3, max_dims=4, max_side=5), dtype=FLOATS)
def test_l2_norm(check, shape, dtype):
    def expected(x):
        return x / np.sqrt((x**2).sum(axis=(-3, -2, -1), keepdims=True) + 0.125)

    check(lambda x: mb.l2_norm(x=x, epsilon=dtype(0.125)), expected, values(shape, dtype), scale=4)


def test_channels_last_is_the_same():
    x, (a, b, c) = (
        mx.array(values((2, 3, 4, 5), np.float32)),
        (mx.array(values(3, np.float32, s, 0.5)) for s in range(3)),
    )
    last = x.transpose(0, 2, 3, 1)
    for first, turned in [
        (batch_norm(x, mean=a, variance=b, gamma=c), batch_norm(last, mean=a, variance=b, gamma=c, channels_last=True)),
        (instance_norm(x, gamma=a, beta=b), instance_norm(last, gamma=a, beta=b, channels_last=True)),
    ]:
        np.testing.assert_allclose(np.array(first), np.array(turned).transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
