"""Pixels become the tensor that the program declares."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.passes.image_input import take_pixels
from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("colour", "order"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0])])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_pixels_arrive_in_the_order_of_the_model(program_of, last, colour, order, dtype):
    program = take_pixels(colour)(program_of(lambda x: mb.relu(x=x), np.zeros((1, 3, 2, 4), dtype)))
    (source,) = program.inputs
    assert (source.shape, source.dtype) == ((1, 2, 4, 3), "uint8")
    pixels = np.random.default_rng(0).integers(0, 256, (1, 2, 4, 3), dtype=np.uint8)
    (given,) = build(channels_last(program) if last else program)(mx.array(pixels))
    np.testing.assert_array_equal(np.array(given), pixels.transpose(0, 3, 1, 2)[:, order].astype(dtype))
