"""A product with a constant matrix is a linear layer, whichever way the file writes it."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.products import recognise_linear

pytestmark = pytest.mark.mlx


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def agree(program, after, x):
    (wanted,), (given_,) = build(program)(mx.array(x)), build(after)(mx.array(x))
    np.testing.assert_allclose(np.array(given_), np.array(wanted), rtol=1e-5, atol=1e-5)


@given(sizes=st.tuples(*[st.integers(1, 6)] * 4), turned=st.booleans(), first=st.booleans())
def test_a_product_and_a_sum_are_one_layer(program_of, sizes, turned, first):
    b, n, i, o = sizes
    matrix, bias = numbers(*((o, i) if turned else (i, o))), numbers(o, seed=1)
    x = numbers(b, n, i)

    def body(x):
        y = mb.matmul(x=x, y=matrix, transpose_y=turned)
        return mb.add(x=bias, y=y) if first else mb.add(x=y, y=bias)

    program = program_of(body, x)
    after = recognise_linear(program)
    (linear,) = after.operations
    assert linear.kind == "linear"
    assert linear.inputs["weight"].shape == (o, i)
    agree(program, after, x)


def test_a_sum_along_another_axis_is_no_bias(program_of):
    x = numbers(2, 3, 4)
    program = program_of(lambda x: mb.add(x=mb.matmul(x=x, y=numbers(4, 5)), y=numbers(3, 1)), x)
    after = recognise_linear(program)
    assert [operation.kind for operation in after.operations] == ["linear", "add"]
    agree(program, after, x)


def test_a_product_that_is_read_twice_takes_no_bias(program_of):
    def body(x):
        y = mb.matmul(x=x, y=numbers(4, 4))
        return mb.mul(x=mb.add(x=y, y=numbers(4)), y=y)

    x = numbers(3, 4)
    program = program_of(body, x)
    after = recognise_linear(program)
    assert [operation.kind for operation in after.operations] == ["linear", "add", "mul"]
    agree(program, after, x)
