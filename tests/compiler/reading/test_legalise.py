"""A MIL program as coremltools loads it becomes ours, with its constants as the file means them."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.reading.legalise import translate
from app.compiler.reading.pymil import Flexible


def constant_of(program_of, body):
    """The constant that the one operation of a program adds to its input."""
    program = program_of(lambda x: mb.add(x=x, y=body()), np.zeros((2, 4), np.float16))
    (operation,) = program.operations
    return operation.constant("y")


def test_weights_of_8_bits_are_expanded_as_coremltools_does_it(program_of):
    data = np.arange(8, dtype=np.uint8).reshape(2, 4)
    scale, zero = np.array([0.5, 0.1], np.float16), np.array([3, 1], np.uint8)
    given = constant_of(
        program_of,
        lambda: mb.constexpr_affine_dequantize(quantized_data=data, scale=scale, zero_point=zero, axis=np.int32(0)),
    )
    assert given.dtype == np.float16
    np.testing.assert_array_equal(given, scale[:, None] * (data.astype(np.float16) - zero[:, None].astype(np.float16)))


def test_weights_from_a_table_are_looked_up(program_of):
    table = np.array([0.25, -1, 3, 7], np.float16)
    packed = np.array([0b11100100, 0b00011011], np.uint8)  # 0 1 2 3 and 3 2 1 0, two bits each
    given = constant_of(
        program_of, lambda: mb.constexpr_lut_to_dense(indices=packed, lut=table, shape=np.array([2, 4], np.uint32))
    )
    np.testing.assert_array_equal(given, table[[[0, 1, 2, 3], [3, 2, 1, 0]]])


def test_weights_that_are_mostly_zero_are_filled_up(program_of):
    mask, values = np.array([0b00100001], np.uint8), np.array([5, -2], np.float16)
    given = constant_of(
        program_of,
        lambda: mb.constexpr_sparse_to_dense(nonzero_data=values, mask=mask, shape=np.array([2, 4], np.uint32)),
    )
    np.testing.assert_array_equal(given, [[5, 0, 0, 0], [0, -2, 0, 0]])


def test_what_nothing_reads_is_left_out(program_of):
    def body(x):
        mb.exp(x=x)
        return mb.sin(x=mb.relu(x=x))

    assert [o.kind for o in program_of(body, np.zeros((2, 3), np.float32)).operations] == ["relu", "sin"]


def test_values_know_their_shape_and_type(program_of):
    program = program_of(lambda x: mb.cast(x=mb.reduce_sum(x=x, axes=[1]), dtype="int32"), np.zeros((2, 3), np.float16))
    assert [(v.shape, v.dtype) for v in program.inputs] == [((2, 3), "fp16")]
    assert [(o.output.shape, o.output.dtype) for o in program.operations] == [((2,), "fp16"), ((2,), "int32")]


def test_a_shape_that_is_not_fixed_is_refused():
    import coremltools as ct
    from coremltools.converters.mil.mil import get_new_symbol

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, get_new_symbol()))], opset_version=ct.target.iOS16)
    def program(x):
        return mb.relu(x=x)

    with pytest.raises(Flexible):
        translate(program.functions["main"])
