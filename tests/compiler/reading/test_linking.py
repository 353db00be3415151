"""Programs in a row become one, joined where names are the same."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.facts import Feature, ModelFacts
from app.compiler.reading.linking import Chain
from app.errors import UnsupportedModel

pytestmark = pytest.mark.mlx


def facts(inputs, outputs):
    return ModelFacts(
        name="p",
        digest="",
        kind="pipeline",
        specification=4,
        inputs=tuple(Feature(name, "multiArray", shape, "fp32") for name, shape in inputs.items()),
        output_features=tuple(Feature(name, "multiArray", (), "fp32") for name in outputs),
        functions=(),
        left_out=(),
        probabilities=None,
        label=None,
        labels=(),
        size_bytes=0,
        crop_fraction=1.0,
        interpolation="bilinear",
        metadata={},
    )


@pytest.fixture
def stage(program_of):
    """stage(body, inputs, output): a program and its facts, its inputs named as in `inputs` (name -> shape)."""

    def make(body, inputs, output):
        program = program_of(body, *(np.zeros(shape, np.float32) for shape in inputs.values()))
        ((_, value),) = program.outputs
        return type(program)(program.inputs, program.operations, ((output, value),)), facts(inputs, [output])

    return make


def test_what_one_stage_gives_the_next_one_reads(stage, run_program):
    chain = Chain(facts({"x": (1, 4)}, ["z"]))
    chain.add(*stage(lambda x: mb.add(x=x, y=np.float32(1)), {"x": (1, 4)}, "y"))
    assert chain.given() == {"y": (1, 4)}
    chain.add(*stage(lambda y: mb.mul(x=y, y=np.float32(3)), {"y": (1, 4)}, "z"))
    x = np.float32([[1, 2, 3, 4]])
    (given,) = run_program(chain.program(), x)
    np.testing.assert_array_equal(given, (x + 1) * 3)


def test_an_input_may_be_read_by_several_stages(stage, run_program):
    chain = Chain(facts({"x": (1, 2)}, ["y", "z"]))
    chain.add(*stage(lambda x: mb.add(x=x, y=np.float32(1)), {"x": (1, 2)}, "y"))
    chain.add(*stage(lambda y, x: mb.sub(x=y, y=x), {"y": (1, 2), "x": (1, 2)}, "z"))
    program = chain.program()
    assert len(program.inputs) == 1
    y, z = run_program(program, np.float32([[5, 7]]))
    np.testing.assert_array_equal(y, [[6, 8]])
    np.testing.assert_array_equal(z, [[1, 1]])


def test_arrays_of_another_form_but_the_same_size_are_reshaped(stage, run_program):
    chain = Chain(facts({"x": (1, 6)}, ["z"]))
    chain.add(*stage(lambda x: mb.relu(x=x), {"x": (1, 6)}, "y"))
    chain.add(*stage(lambda y: mb.reduce_sum(x=y, axes=[0]), {"y": (2, 3)}, "z"))
    (given,) = run_program(chain.program(), np.arange(6, dtype=np.float32)[None])
    np.testing.assert_array_equal(given, [3, 5, 7])


def test_arrays_of_another_size_are_refused(stage):
    chain = Chain(facts({"x": (1, 6)}, ["z"]))
    chain.add(*stage(lambda x: mb.relu(x=x), {"x": (1, 6)}, "y"))
    with pytest.raises(UnsupportedModel, match="take y in different forms"):
        chain.add(*stage(lambda y: mb.relu(x=y), {"y": (1, 5)}, "z"))
