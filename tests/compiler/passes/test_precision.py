"""The float type changes everywhere, the weights only where they are used, and the outputs keep their promise."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.passes.precision import compute_in

pytestmark = pytest.mark.mlx

X = np.array([[0.1, 0.2, 300.0]], np.float16)


def mixed(x):
    """Half precision inside, single outside, and whole numbers between."""
    y = mb.mul(x=x, y=np.float16(1000))
    whole = mb.cast(x=mb.cast(x=y, dtype="int32"), dtype="fp16")
    return mb.cast(x=mb.add(x=whole, y=np.float16(0.1)), dtype="fp32")


def test_as_stored_is_the_same_program(program_of):
    program = program_of(mixed, X)
    assert compute_in(None)(program) is program


@pytest.mark.parametrize(("name", "dtype"), [("fp32", mx.float32), ("fp16", mx.float16), ("bf16", mx.bfloat16)])
def test_every_float_is_of_that_type_inside_and_as_declared_outside(program_of, name, dtype):
    program = compute_in(name)(program_of(mixed, X))
    inside = [v for operation in program.operations[:-1] for v in operation.outputs if v.dtype != "int32"]
    assert {v.dtype for v in inside} == {name}
    (result,) = build(program)(mx.array(X).astype(dtype))
    assert result.dtype == mx.float32


def test_float32_uses_the_weights_that_the_file_stores(program_of):
    (result,) = build(compute_in("fp32")(program_of(mixed, X)))(mx.array(X).astype(mx.float32))
    # 0.1 in half precision is 0.0999755859375; 300,000 leaves its range, float32 keeps it
    wanted = np.trunc(X.astype(np.float32) * 1000) + np.float32(np.float16(0.1))
    np.testing.assert_array_equal(np.array(result), wanted)
