"""Which operations get the CPU's own form. What these compute: ops/test_functions_cpu.py."""

import sys

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.cpu_functions import route_functions

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="MLX has vector code there, nothing is routed")


def kinds(program):
    return [operation.kind for operation in route_functions(program).operations]


def test_functions_in_float32_are_routed(program_of, run_program):
    x = np.linspace(-4, 4, 60).reshape(3, 20).astype(np.float32)
    program = program_of(lambda x: mb.softmax(x=mb.layer_norm(x=mb.gelu(x=x, mode="EXACT"), axes=[1]), axis=-1), x)
    routed = route_functions(program)
    assert kinds(program) == ["cpu_gelu", "cpu_layer_norm", "cpu_softmax"]
    np.testing.assert_allclose(run_program(routed, x)[0], run_program(program, x)[0], atol=1e-6)


@pytest.mark.parametrize(
    "body",
    [
        lambda x: mb.softmax(x=x, axis=0),
        lambda x: mb.layer_norm(x=x, axes=[0]),
        lambda x: mb.layer_norm(x=x, axes=[0, 1]),
    ],
)
def test_other_axes_are_left(program_of, body):
    program = program_of(body, np.zeros((3, 20), np.float32))
    assert kinds(program) == [operation.kind for operation in program.operations]


def test_halves_are_left(program_of):
    assert kinds(program_of(lambda x: mb.tanh(x=x), np.zeros((3, 20), np.float16))) == ["tanh"]
