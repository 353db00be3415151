"""Weights are counted in the form in which the file stores them."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types
from coremltools.models.neural_network import NeuralNetworkBuilder
from coremltools.models.neural_network.quantization_utils import quantize_weights

from app.compiler.inspection.operations import count_operations
from app.compiler.inspection.weights import stored_weights

WEIGHT = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)


def specification_of(weight, target=ct.target.iOS16):
    """The specification of x · wᵀ, the weight made by `weight()` inside the program."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 16), dtype=types.fp16)], opset_version=target)
    def program(x):
        return mb.matmul(x=x, y=weight(), transpose_y=True)

    model = ct.convert(
        program,
        minimum_deployment_target=target,
        compute_precision=ct.precision.FLOAT32,
        pass_pipeline=ct.PassPipeline.EMPTY,
        skip_model_load=True,
    )
    return model.get_spec()


def one_form(specification):
    (row,) = stored_weights(specification, "main")
    return row


@pytest.mark.parametrize(("dtype", "form"), [(np.float16, "float16"), (np.float32, "float32")])
def test_plain_weights(dtype, form):
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 16))], opset_version=ct.target.iOS16)
    def program(x):
        return mb.add(x=x, y=mb.cast(x=np.arange(16).astype(dtype), dtype="fp32"))

    model = ct.convert(program, pass_pipeline=ct.PassPipeline.EMPTY, skip_model_load=True)
    row = one_form(model.get_spec())
    assert (row.form, row.parameters, row.stored_bytes) == (form, 16, 16 * dtype().itemsize)


def test_linear_weights_count_their_scales_as_stored():
    row = one_form(
        specification_of(
            lambda: mb.constexpr_affine_dequantize(
                quantized_data=np.zeros((8, 16), np.int8), zero_point=np.int8(0), scale=np.ones(8, np.float16), axis=0
            )
        )
    )
    assert (row.form, row.tensors, row.parameters) == ("linear 8 bit", 1, 128)
    # A byte each, a scale of two bytes a row, zero point and axis.
    assert row.stored_bytes == 128 + 16 + 1 + 4


def test_palettes_of_ios16_are_named_by_their_length():
    row = one_form(
        specification_of(
            lambda: mb.constexpr_lut_to_dense(
                indices=np.zeros(64, np.uint8), lut=np.arange(16).astype(np.float16), shape=np.uint32([8, 16])
            )
        )
    )
    assert (row.form, row.parameters) == ("palettized 4 bit", 128)


def test_palettes_of_ios18_are_named_with_their_vectors():
    indices = np.zeros((4, 16), types.np_uint4_dtype)
    row = one_form(
        specification_of(
            lambda: mb.constexpr_lut_to_dense(
                indices=indices, lut=np.zeros((1, 1, 16, 2), np.float16), vector_axis=np.int32(0)
            ),
            ct.target.iOS18,
        )
    )
    assert (row.form, row.parameters) == ("palettized 4 bit (vectors of 2)", 128)


def test_blocks_are_told_from_channels():
    data = np.zeros((8, 16), types.np_int4_dtype)

    def weight(columns):
        return lambda: mb.constexpr_blockwise_shift_scale(data=data, scale=np.ones((8, columns), np.float16))

    assert one_form(specification_of(weight(1), ct.target.iOS18)).form == "linear 4 bit"
    row = one_form(specification_of(weight(4), ct.target.iOS18))
    assert (row.form, row.stored_bytes) == ("linear 4 bit (blocks)", 64 + 2 * 32)


def test_joint_forms_are_one_weight():
    mask = np.zeros((8, 16), types.np_uint1_dtype)
    mask[0, :8] = 1

    def weight():
        sparse_mask, numbers = mb.constexpr_lut_to_sparse(
            indices_mask=mask,
            indices_nonzero_data=np.zeros(8, types.np_uint4_dtype),
            lut=np.zeros((1, 1, 16, 1), np.float16),
        )
        return mb.constexpr_sparse_to_dense(mask=sparse_mask, nonzero_data=numbers)

    row = one_form(specification_of(weight, ct.target.iOS18))
    assert (row.form, row.tensors, row.parameters) == ("sparse + palettized 4 bit", 1, 128)


def inner_product():
    builder = NeuralNetworkBuilder(
        [("x", ct.models.datatypes.Array(16))], [("y", ct.models.datatypes.Array(8))], disable_rank5_shape_mapping=True
    )
    builder.add_inner_product("product", WEIGHT, np.zeros(8), 16, 8, True, "x", "y")
    return builder.spec


def test_plain_layers_of_a_neural_network():
    specification = inner_product()
    row = one_form(specification)
    assert (row.form, row.tensors, row.parameters, row.stored_bytes) == ("float32", 2, 128 + 8, 4 * (128 + 8))
    assert count_operations(specification, None) == {"innerProduct": 1}


def test_quantized_layers_of_a_neural_network():
    model = quantize_weights(ct.models.MLModel(inner_product(), skip_model_load=True), 8, "linear")
    row = one_form(model.get_spec())
    assert (row.form, row.parameters) == ("linear 8 bit", 136)
    # A byte each; scale and bias are float32, one pair a row of the matrix, one for the vector.
    assert row.stored_bytes == 136 + 4 * 2 * 8 + 4 * 2


def test_palettized_layers_of_a_neural_network():
    specification = inner_product()
    layer = specification.neuralNetwork.layers[0].innerProduct
    for weights, count in ((layer.weights, 128), (layer.bias, 8)):
        weights.ClearField("floatValue")
        weights.rawValue = bytes(count // 2)
        weights.quantization.numberOfBits = 4
        weights.quantization.lookupTableQuantization.floatValue.extend(range(16))
    row = one_form(specification)
    assert (row.form, row.parameters, row.stored_bytes) == ("palettized 4 bit", 136, 136 // 2 + 2 * 4 * 16)


def test_a_constant_that_gives_nothing_is_no_weight():
    specification = specification_of(lambda: WEIGHT.astype(np.float16))
    before = stored_weights(specification, "main")
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    block.operations.add(type="const")
    block.operations.add(type="constexpr_lut_to_dense")
    assert stored_weights(specification, "main") == before


def test_constants_that_are_made_of_each_other_are_no_weights():
    specification = specification_of(lambda: WEIGHT.astype(np.float16))
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    circle = block.operations.add(type="constexpr_lut_to_dense")
    circle.outputs.add(name="itself")
    circle.inputs["lut"].arguments.add(name="itself")
    block.operations.add(type="constexpr_lut_to_dense").outputs.add(name="other")
    with pytest.raises((ValueError, KeyError)):
        stored_weights(specification, "main")
