"""Whole-number activations against coremltools' own arithmetic."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.quantization import dequantize, quantize

pytestmark = pytest.mark.mlx

RANGE = {np.int8: (-128, 127), np.uint8: (0, 255)}
NAMES = {np.int8: "int8", np.uint8: "uint8"}


@st.composite
def cases(draw):
    shape = draw(array_shapes(min_dims=1, max_dims=4, max_side=6))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    integer = draw(st.sampled_from([np.int8, np.uint8]))
    size = () if axis is None else (shape[axis],)
    rng = np.random.default_rng(0)
    zero_point = rng.integers(*RANGE[integer], size).astype(integer) if draw(st.booleans()) else None
    # powers of two, so that no division is rounded and the halves are where they seem
    return shape, axis, integer, (2.0 ** rng.integers(-5, -2, size)), zero_point


def along(numbers, rank, axis):
    if axis is None:
        return numbers
    shape = [1] * rank
    shape[axis] = -1
    return np.reshape(numbers, shape)


def given_inputs(scale, zero_point, axis, dtype):
    extra = {} if axis is None else {"axis": np.int32(axis)}
    if zero_point is not None:
        extra["zero_point"] = zero_point
    return {"scale": np.asarray(scale).astype(dtype)[()], **extra}


@given(case=cases(), dtype=st.sampled_from([np.float32, np.float16]))
def test_quantize_and_back(run_mil, case, dtype):
    shape, axis, integer, scale, zero_point = case
    x = (np.random.default_rng(1).integers(-800, 800, shape) / 64).astype(dtype)
    s, z = along(scale, x.ndim, axis), along(0 if zero_point is None else zero_point.astype(float), x.ndim, axis)
    whole = np.clip(np.round(x / s) + z, *RANGE[integer])
    options = given_inputs(scale, zero_point, axis, dtype)

    def body(x):
        q = mb.quantize(input=x, output_dtype=NAMES[integer], **options)
        return mb.dequantize(input=q, **options)

    y = run_mil(body, x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.astype(float), ((whole - z) * s).astype(dtype).astype(float))


@pytest.mark.parametrize("integer", [np.int8, np.uint8])
def test_quantize_keeps_within_the_range(integer):
    low, high = RANGE[integer]
    y = quantize(mx.array([-1e4, 0.25, 0.75, 1e4]), scale=mx.array(0.5), output_dtype=NAMES[integer])
    assert y.tolist() == [low, 0, 2, high]


def test_dequantize_has_the_type_of_its_scale():
    y = dequantize(mx.array([-128, 127], mx.int8), scale=mx.array(0.5, mx.float16), zero_point=mx.array(127, mx.int8))
    assert y.dtype == mx.float16
    assert y.tolist() == [-127.5, 0.0]
