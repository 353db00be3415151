"""The CPU's attention and layer normalisation against the operations that they stand for."""

import mlx.core as mx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.attention import attention
from app.compiler.ops.normalization import layer_norm
from app.compiler.ops.transformers_cpu import cpu_attention, cpu_layer_norm


def normal(seed, *shape):
    return mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


@given(
    before=st.sampled_from([(), (2,), (1, 3), (2, 1, 3)]),
    rows=st.integers(1, 9),
    keys=st.integers(1, 60),
    depth=st.integers(1, 20),
    masked=st.booleans(),
    seed=st.integers(0, 99),
)
def test_attention(before, rows, keys, depth, masked, seed):
    query, key = normal(seed, *before, rows, depth) * 3, normal(seed + 1, *before, keys, depth)
    value = normal(seed + 2, *before, keys, depth + 1)
    mask = normal(seed + 3, rows, keys) if masked else None
    four = [x.reshape(1, -1, *x.shape[-2:]) for x in (query, key, value)]
    wanted = attention(*four, mask=mask, scale=0.7).reshape(*before, rows, depth + 1)
    result = cpu_attention(query, key, value, mask=mask, scale=0.7)
    np.testing.assert_allclose(np.array(result), np.array(wanted), atol=1e-5)


def test_a_query_that_may_look_at_nothing_looks_at_everything_alike():
    """Networks mask with the least number of float32, not with infinity."""
    query, key, value = normal(0, 1, 2, 3, 4), normal(1, 1, 2, 5, 4), normal(2, 1, 2, 5, 4)
    mask = mx.where(mx.arange(3)[:, None] == 1, mx.finfo(mx.float32).min, mx.zeros((3, 5)))
    result = np.array(cpu_attention(query, key, value, mask=mask))
    np.testing.assert_allclose(result[:, :, 1], np.array(value).mean(axis=2), atol=1e-6)
    np.testing.assert_allclose(result, np.array(attention(query, key, value, mask=mask)), atol=1e-5)


@given(
    shape=st.lists(st.integers(1, 7), max_size=2),
    width=st.integers(2, 70),
    seed=st.integers(0, 99),
    with_gamma=st.booleans(),
    with_beta=st.booleans(),
)
def test_layer_norm(shape, width, seed, with_gamma, with_beta):
    x = normal(seed, *shape, width) * 5 + 30
    gamma = normal(seed + 1, width) if with_gamma else None
    beta = normal(seed + 2, width) if with_beta else None
    result = cpu_layer_norm(x, gamma=gamma, beta=beta, epsilon=1e-5)
    wanted = layer_norm(x.astype(mx.float32), axes=(-1,), gamma=gamma, beta=beta, epsilon=1e-5)
    assert result.shape == x.shape
    np.testing.assert_allclose(np.array(result), np.array(wanted), atol=2e-4)
