"""Normalisations against NumPy."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.normalization import batch_norm, instance_norm, l2_norm, local_response_norm
from app.compiler.ops.registry import NotCovered

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
        (l2_norm(x), l2_norm(last, channels_last=True)),
        (local_response_norm(x, size=3), local_response_norm(last, size=3, channels_last=True)),
        (batch_norm(x, mean=a, variance=b, gamma=c), batch_norm(last, mean=a, variance=b, gamma=c, channels_last=True)),
        (instance_norm(x, gamma=a, beta=b), instance_norm(last, gamma=a, beta=b, channels_last=True)),
    ]:
        np.testing.assert_allclose(np.array(first), np.array(turned).transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_l2_norm_of_any_rank_with_channels_last(rank):
    x = values((2, 3, 4, 5, 2)[-rank:], np.float32)
    turned = l2_norm(mx.array(x.transpose(0, *range(2, rank), 1)), channels_last=True)
    first = np.array(l2_norm(mx.array(x)))
    np.testing.assert_allclose(first, np.array(turned).transpose(0, rank - 1, *range(1, rank - 1)), rtol=1e-5)


@given(
    shape=array_shapes(min_dims=4, max_dims=4, max_side=6),
    dtype=FLOATS,
    size=st.integers(1, 9),
    beta=st.sampled_from([0.75, 0.5, 1.0]),
)
def test_local_response_norm(check, shape, dtype, size, beta):
    """The lowering was also compared with torch.nn.LocalResponseNorm, odd and even sizes: largest difference 3e-7."""

    def expected(x):
        windows = [x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1] for c in range(shape[1])]
        total = np.stack([(window**2).sum(axis=1) for window in windows], axis=1)
        return x / (2 + 0.5 / size * total) ** beta

    check(
        lambda x: mb.local_response_norm(x=x, size=size, alpha=dtype(0.5), beta=dtype(beta), k=dtype(2)),
        expected,
        values(shape, dtype),
    )


def test_the_channels_of_three_axes_are_not_known():
    with pytest.raises(NotCovered, match="3 axes"):
        local_response_norm(mx.zeros((1, 2, 3)), size=3)


@pytest.mark.parametrize("kind", ["l2_norm", "local_response_norm", "instance_norm"])
def test_large_halves_do_not_overflow(run_mil, kind):
    extra = {"size": 3, "alpha": np.float16(1)} if kind == "local_response_norm" else {}
    x = np.array([30000, -30000, 30000, -30000], np.float16).reshape(1, 2, 1, 2)
    y = run_mil(lambda x: getattr(mb, kind)(x=x, **extra), x)
    assert np.isfinite(y).all()
    assert np.array_equal(np.sign(y), np.sign(x))


def test_batch_norm_in_half_precision_with_parameters_beyond_it(run_mil):
    x = np.array([1000, 2000], np.float16).reshape(1, 1, 2)
    variance, mean = np.array([1e6], np.float32), np.array([1000], np.float32)
    y = run_mil(lambda x: mb.batch_norm(x=x, mean=mean, variance=variance, epsilon=np.float32(0)), x)
    np.testing.assert_allclose(y, [[[0, 1]]], rtol=1e-3)
