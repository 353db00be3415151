"""Inputs and outputs become what the description declares."""

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.facts import Feature, ModelFacts
from app.compiler.passes.declared import give_outputs, take_inputs
from app.compiler.passes.layout import channels_last
from app.errors import UnsupportedModel

pytestmark = pytest.mark.mlx

PIXELS = np.random.default_rng(0).integers(0, 256, (1, 2, 4, 3), dtype=np.uint8)


def facts(inputs=(), outputs=()):
    return ModelFacts(
        name="m",
        digest="",
        kind="mlProgram",
        specification=7,
        inputs=tuple(inputs),
        output_features=tuple(outputs),
        functions=("main",),
        left_out=(),
        probabilities=None,
        label=None,
        labels=(),
        size_bytes=0,
        crop_fraction=1.0,
        interpolation="bilinear",
        metadata={},
    )


def image(name, colour, shape=(1, 2, 4, 3)):
    return Feature(name, "image", shape, "fp16" if colour == "GRAYSCALE_FLOAT16" else "uint8", colour)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("colour", "order"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0])])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_pixels_arrive_in_the_order_of_the_model(program_of, run_program, last, colour, order, dtype):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 3, 2, 4), dtype))
    program = take_inputs(program, facts([image("x0", colour)]))
    (source,) = program.inputs
    assert (source.shape, source.dtype) == ((1, 2, 4, 3), "uint8")
    (given,) = run_program(channels_last(program) if last else program, PIXELS)
    np.testing.assert_array_equal(given, PIXELS.transpose(0, 3, 1, 2)[:, order].astype(dtype))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("colour", ["GRAYSCALE", "GRAYSCALE_FLOAT16"])
def test_grey_pixels_have_one_channel(program_of, run_program, colour, last):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 1, 2, 4), np.float32))
    program = take_inputs(program, facts([image("x0", colour, (1, 2, 4, 1))]))
    grey = PIXELS[..., :1].astype(np.float16 if colour == "GRAYSCALE_FLOAT16" else np.uint8)
    (given,) = run_program(channels_last(program) if last else program, grey)
    np.testing.assert_array_equal(given, grey.transpose(0, 3, 1, 2).astype(np.float32))


def test_arrays_come_in_their_declared_type_and_order(program_of, run_program):
    a, b = np.float32([[1.5, -2]]), np.float32([[3, 4]])
    program = program_of(lambda x, y: mb.sub(x=x, y=y), a, b)
    wide, whole = Feature("x0", "multiArray", (1, 2), "fp64"), Feature("x1", "multiArray", (1, 2), "int32")
    program = take_inputs(program, facts([whole, wide]))
    assert [v.dtype for v in program.inputs] == ["int32", "fp32"]
    (given,) = run_program(program, b.astype(np.int32), a)
    np.testing.assert_array_equal(given, a - b)


def test_an_input_that_nothing_reads_is_taken_all_the_same(program_of, run_program):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 2), np.float32))
    both = [Feature("other", "multiArray", (3,), "fp32"), Feature("x0", "multiArray", (1, 2), "fp32")]
    (given,) = run_program(take_inputs(program, facts(both)), np.zeros(3, np.float32), np.float32([[1, -1]]))
    np.testing.assert_array_equal(given, [[1, 0]])


@pytest.mark.parametrize(
    "inputs",
    [
        [image("x0", "RGB", (1, 3, 4, 3))],
        [image("x0", "GRAYSCALE", (1, 2, 4, 1))],
        [Feature("x0", "multiArray", (1, 3, 2, 5), "fp32")],
        [Feature("x0", "dictionary")],
        [image("x0", "RGB"), Feature("word", "string")],
        [],
    ],
)
def test_a_program_that_takes_something_else_is_refused(program_of, inputs):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 3, 2, 4), np.float32))
    with pytest.raises(UnsupportedModel):
        take_inputs(program, facts(inputs))


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("lead", [(1,), ()])
@pytest.mark.parametrize(("colour", "order"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0])])
def test_a_picture_comes_out_as_bytes(program_of, run_program, colour, order, lead, last):
    values = np.random.default_rng(1).uniform(-50, 300, (*lead, 3, 2, 4)).astype(np.float32)
    program = program_of(lambda x: mb.identity(x=mb.relu(x=x), name="out"), values)
    name = program.outputs[0][0]
    program = give_outputs(program, facts(outputs=[image(name, colour)]))
    (given,) = run_program(channels_last(program) if last else program, values)
    wanted = np.clip(values, 0, 255).round().astype(np.uint8).reshape(1, 3, 2, 4)[:, order]
    assert given.dtype == np.uint8
    np.testing.assert_array_equal(given, wanted.transpose(0, 2, 3, 1))


def test_a_half_precision_picture_keeps_its_values(program_of, run_program):
    values = np.float32([-3.5, 0.25, 700, 1]).reshape(1, 1, 2, 2)
    program = program_of(lambda x: mb.abs(x=x), values)
    feature = image(program.outputs[0][0], "GRAYSCALE_FLOAT16", (1, 2, 2, 1))
    (given,) = run_program(give_outputs(program, facts(outputs=[feature])), values)
    assert given.dtype == np.float16
    np.testing.assert_array_equal(given.reshape(-1), np.abs(values).reshape(-1))


def test_an_output_that_the_program_does_not_give_is_refused(program_of):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 2), np.float32))
    with pytest.raises(UnsupportedModel, match="missing"):
        give_outputs(program, facts(outputs=[Feature("missing", "multiArray", (1, 2), "fp32")]))
    with pytest.raises(UnsupportedModel, match="image"):
        give_outputs(program, facts(outputs=[image(program.outputs[0][0], "RGB")]))


def test_probabilities_stand_in_a_row_and_fit_the_labels(program_of, run_program):
    scores = np.float32([[1, 2, 3], [4, 5, 6]])
    program = program_of(lambda x: mb.relu(x=x), scores[:, :, None, None])
    (name, _), *_ = program.outputs
    named = replace(facts(), probabilities=name, labels=("a", "b", "c"))
    (given,) = run_program(give_outputs(program, named), scores[:, :, None, None])
    np.testing.assert_array_equal(given, scores)
    with pytest.raises(UnsupportedModel, match="4 labels for 6 classes"):
        give_outputs(program, replace(named, labels=("a", "b", "c", "d")))


def test_an_array_comes_out_in_its_declared_type(program_of, run_program):
    program = program_of(lambda x: mb.relu(x=x), np.zeros((1, 2), np.float32))
    feature = Feature(program.outputs[0][0], "multiArray", (1, 2), "int32")
    (given,) = run_program(give_outputs(program, facts(outputs=[feature])), np.float32([[2, -2]]))
    assert mx.array(given).dtype == mx.int32
