"""Attention as one operation (iOS 18) against its definition."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])
SIZE = st.integers(1, 6)


def values(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def attend(q, k, v, mask=None):
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + (np.where(mask, 0, -np.inf) if mask.dtype == bool else mask)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


@given(
    lead=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    length=SIZE,
    source=SIZE,
    width=SIZE,
    out=SIZE,
    dtype=FLOATS,
)
def test_attention(check, lead, length, source, width, out, dtype):
    check(
        lambda q, k, v: mb.scaled_dot_product_attention(query=q, key=k, value=v),
        attend,
        values((*lead, length, width), dtype, 0),
        values((*lead, source, width), dtype, 1),
        values((*lead, source, out), dtype, 2),
        scale=4,
        opset=ct.target.iOS18,
    )


@pytest.mark.parametrize("kind", ["truth", "float"])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (1, 1, 5), (3, 4, 5), (2, 1, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_mask_broadcasts(check, kind, shape, dtype):
    if kind == "truth":
        mask = np.random.default_rng(0).random(shape) > 0.4
        mask[..., 0] = True  # a row with nothing left has no softmax
    else:
        mask = values(shape, dtype, 3)
    check(
        lambda q, k, v, m: mb.scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=m),
        attend,
        values((2, 3, 4, 6), dtype, 0),
        values((2, 3, 5, 6), dtype, 1),
        values((2, 3, 5, 7), dtype, 2),
        mask,
        scale=4,
        opset=ct.target.iOS18,
    )


def test_a_mask_without_heads(check):
    check(
        lambda q, m: mb.scaled_dot_product_attention(query=q, key=q, value=q, attn_mask=m),
        lambda q, m: attend(q, q, q, m),
        values((2, 4, 6), np.float32, 0),
        values((2, 4, 4), np.float32, 1),
        opset=ct.target.iOS18,
    )
