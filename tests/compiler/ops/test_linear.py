"""Matrix products against NumPy."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])
SIZE = st.integers(1, 9)


def values(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@given(rows=SIZE, ins=SIZE, outs=SIZE, rank=st.integers(1, 3), bias=st.booleans(), dtype=FLOATS)
def test_linear(check, rows, ins, outs, rank, bias, dtype):
    x = values((2, rows, ins)[3 - rank :], dtype, 0)
    weight = values((outs, ins), dtype, 1)
    offset = values(outs, dtype, 2) if bias else np.zeros(outs, dtype)
    check(
        lambda x: mb.linear(x=x, weight=weight, bias=offset) if bias else mb.linear(x=x, weight=weight),
        lambda x: x @ weight.astype(np.float64).T + offset.astype(np.float64),
        x,
        scale=4,
    )


@given(
    m=SIZE, k=SIZE, n=SIZE, lead=st.sampled_from([(), (3,), (2, 3)]), tx=st.booleans(), ty=st.booleans(), dtype=FLOATS
)
def test_matmul(check, m, k, n, lead, tx, ty, dtype):
    x = values((*lead, *((k, m) if tx else (m, k))), dtype, 0)
    y = values((*lead[-1:], *((n, k) if ty else (k, n))), dtype, 1)
    check(
        lambda x, y: mb.matmul(x=x, y=y, transpose_x=tx, transpose_y=ty),
        lambda x, y: (x.swapaxes(-1, -2) if tx else x) @ (y.swapaxes(-1, -2) if ty else y),
        x,
        y,
        scale=4,
    )
