"""Matrix products against NumPy."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.registry import TABLE, NotCovered

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


@given(m=SIZE, k=SIZE, n=SIZE, lead=st.sampled_from([(), (3,), (2, 3)]), tx=st.booleans(), ty=st.booleans())
def test_matmul_of_whole_numbers(check, m, k, n, lead, tx, ty):
    rng = np.random.default_rng(0)
    x = rng.integers(-9999, 9999, (*lead, *((k, m) if tx else (m, k)))).astype(np.int32)
    y = rng.integers(-9999, 9999, (*lead[-1:], *((n, k) if ty else (k, n)))).astype(np.int32)
    check(
        lambda x, y: mb.matmul(x=x, y=y, transpose_x=tx, transpose_y=ty),
        lambda x, y: (x.swapaxes(-1, -2) if tx else x) @ (y.swapaxes(-1, -2) if ty else y),
        x,
        y,
    )


def test_a_large_matmul_of_whole_numbers_is_refused():
    x = mx.zeros((512, 512), dtype=mx.int32)
    with pytest.raises(NotCovered, match=r"matmul \(.*int32"):
        TABLE["matmul"].function(x, x)


@given(k=SIZE, n=SIZE, dtype=st.sampled_from([np.float32, np.int32]))
def test_matmul_with_a_row(check, k, n, dtype):
    x, y = values(k, np.float32, 0) * 8, values((k, n), np.float32, 1) * 8
    check(lambda x, y: mb.matmul(x=x, y=y), lambda x, y: x @ y, x.astype(dtype), y.astype(dtype))


@given(c=SIZE, w=SIZE, u=SIZE, ones=st.sampled_from(["", "n", "h", "nh"]), swapped=st.booleans(), dtype=FLOATS)
@pytest.mark.parametrize("equation", ["nchw,nwhu->nchu", "chw,whr->chr", "abcd,adce->abce"])
def test_einsum(check, equation, c, w, u, ones, swapped, dtype):
    short_n, short_h = (1 if letter in ones else size for letter, size in (("n", 2), ("h", 3)))
    (xn, xh), (yn, yh) = ((short_n, short_h), (2, 3)) if swapped else ((2, 3), (short_n, short_h))
    x, y = values((xn, c, xh, w), dtype, 0), values((yn, w, yh, u), dtype, 1)
    if equation.startswith("chw"):
        x, y = x[0], y[0]

    def expected(x, y):
        return np.einsum(
            "...chw,...whu->...chu", *(np.broadcast_to(v, (*v.shape[:-2], 3, v.shape[-1])) for v in (x, y))
        )

    check(lambda x, y: mb.einsum(values=(x, y), equation=equation), expected, x, y, scale=4)
