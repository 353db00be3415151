"""Stored weights as coremltools expands them."""

from __future__ import annotations

import numpy as np
import pytest
from coremltools.models.datatypes import Array
from coremltools.models.neural_network import NeuralNetworkBuilder, quantization_utils
from coremltools.proto.NeuralNetwork_pb2 import WeightParams
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.network.blobs import Refused
from app.compiler.network.weights import of_one_type, unpacked, weights

LAYERS = {
    "convolution": ((6, 3, 2, 3), 0),
    "deconvolution": ((4, 6, 3, 2), 1),
    "innerProduct": ((5, 7), 0),
    "batchedMatmul": ((5, 7), 0),
}


def specification(noise):
    """A network with each kind of layer, whose weights coremltools can compress."""
    builder = NeuralNetworkBuilder([("x", Array(1, 3, 8, 8))], [("y", None)], disable_rank5_shape_mapping=True)
    builder.add_convolution("convolution", 3, 6, 2, 3, 1, 1, "valid", 1, noise(2, 3, 3, 6), None, False, input_name="x",
                            output_name="a")  # fmt: skip
    builder.add_convolution("deconvolution", 4, 6, 3, 2, 1, 1, "valid", 1, noise(3, 2, 4, 6), None, False, True,
                            input_name="a", output_name="b")  # fmt: skip
    builder.add_inner_product("innerProduct", noise(5, 7), None, 7, 5, False, "b", "c")
    builder.add_batched_mat_mul(
        "batchedMatmul", ["c"], "y", weight_matrix_rows=7, weight_matrix_columns=5, W=noise(7, 5), bias=noise(5)
    )
    return builder.spec


MODES = [(mode, bits) for mode in ("_linear_quantization", "_lookup_table_quantization_linear") for bits in range(1, 9)]


@pytest.mark.parametrize(("mode", "bits"), [*MODES, ("_linear_quantization_symmetric", 8)])
def test_compressed_weights_are_those_of_coremltools_bit_for_bit(noise, mode, bits):
    compressed = specification(noise)
    quantization_utils._quantize_nn_spec(compressed.neuralNetwork, bits, mode)
    expanded = type(compressed)()
    expanded.CopyFrom(compressed)
    quantization_utils._dequantize_nn_spec(expanded.neuralNetwork)
    for layer, reference in zip(compressed.neuralNetwork.layers, expanded.neuralNetwork.layers, strict=True):
        shape, axis = LAYERS[layer.name]
        stored = getattr(layer, layer.WhichOneof("layer")).weights
        assert stored.rawValue
        wanted = np.array(getattr(reference, layer.WhichOneof("layer")).weights.floatValue, np.float32).reshape(shape)
        given_weights = weights(stored, shape, axis)
        assert given_weights.dtype == np.float32
        np.testing.assert_array_equal(given_weights.view(np.uint32), wanted.view(np.uint32))


@given(bits=st.integers(1, 8), values=st.lists(st.integers(0, 255), max_size=40))
def test_packed_numbers_have_the_most_significant_bit_first(bits, values):
    values = [value % 2**bits for value in values]
    text = "".join(format(value, f"0{bits}b") for value in values)
    raw = bytes(int(text[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(text), 8))
    assert unpacked(raw, bits, len(values)).tolist() == values


def test_half_precision_stays_as_it_is_stored():
    stored = np.arange(6, dtype=np.float16).reshape(2, 3) / 7
    array = weights(WeightParams(float16Value=stored.tobytes()), (2, 3))
    assert array.dtype == np.float16
    np.testing.assert_array_equal(array, stored)


def test_one_scale_serves_all_channels():
    parameters = WeightParams(rawValue=bytes(range(6)))
    parameters.quantization.numberOfBits = 8
    parameters.quantization.linearQuantization.scale.append(0.5)
    np.testing.assert_array_equal(weights(parameters, (2, 3)), np.arange(6).reshape(2, 3) * 0.5)


def test_weight_and_bias_get_one_type():
    half, single = np.zeros(2, np.float16), np.zeros(2, np.float32)
    assert [a.dtype for a in of_one_type(half, half)] == [np.float16, np.float16]
    assert [a.dtype for a in of_one_type(half, single)] == [np.float32, np.float32]
    assert of_one_type(half, None)[1] is None


def damaged(**changes):
    parameters = WeightParams(rawValue=bytes(6))
    parameters.quantization.numberOfBits = changes.get("bits", 8)
    if "scales" in changes:
        parameters.quantization.linearQuantization.scale.extend([1.0] * changes["scales"])
    if "table" in changes:
        parameters.rawValue = bytes([0, 1, 2, 3, 4, 5])
        parameters.quantization.lookupTableQuantization.floatValue.extend([1.0] * changes["table"])
    return parameters


@pytest.mark.parametrize(
    "parameters",
    [
        WeightParams(),
        WeightParams(floatValue=[1.0] * 5),
        WeightParams(float16Value=bytes(10)),
        damaged(),
        damaged(scales=4),
        damaged(table=3),
        damaged(bits=16, scales=1),
        damaged(bits=0, scales=1),
    ],
)
def test_weights_that_contradict_themselves_are_refused(parameters):
    with pytest.raises(ValueError, match=r"weight|scale|table"):
        weights(parameters, (2, 3))


def test_int8_weights_of_a_dynamic_quantization_are_refused():
    with pytest.raises(Refused, match="int8RawValue"):
        weights(WeightParams(int8RawValue=bytes(6)), (2, 3))
