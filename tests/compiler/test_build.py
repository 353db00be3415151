"""The built function runs the program and trusts no lowering."""

import mlx.core as mx
import numpy as np
import pytest

from app.compiler.build import build
from app.compiler.ops.registry import NotCovered
from app.compiler.program import Operation, Program, Value
from app.errors import InternalError

pytestmark = pytest.mark.mlx

X = Value("x", (2, 3), "fp32")


def program(*operations):
    return Program((X,), operations, (("y", operations[-1].outputs[-1]),))


def test_inputs_outputs_and_constants():
    y = Value("y", (2, 3), "fp32")
    function = build(program(Operation("add", {"x": X, "y": np.array([1, 2, 3], np.float16)}, (y,))))
    (result,) = function(mx.zeros((2, 3)))
    np.testing.assert_array_equal(np.array(result), [[1, 2, 3], [1, 2, 3]])


@pytest.mark.parametrize("declared", [Value("y", (3, 2), "fp32"), Value("y", (2, 3), "fp16"), Value("y", (6,), "fp32")])
def test_a_result_that_is_not_as_declared_is_a_defect(declared):
    function = build(program(Operation("relu", {"x": X}, (declared,))))
    with pytest.raises(InternalError, match="relu"):
        function(mx.zeros((2, 3)))


def test_an_input_that_the_lowering_does_not_know_is_not_ignored():
    with pytest.raises(NotCovered, match=r"relu \(slope\)"):
        build(program(Operation("relu", {"x": X, "slope": 0.5}, (X,))))


def test_a_number_that_is_computed_at_run_time_is_refused():
    axes = Value("axes", (1,), "int32")
    with pytest.raises(NotCovered, match=r"reduce_sum \(axes\)"):
        build(program(Operation("reduce_sum", {"x": X, "axes": axes}, (Value("y", (2,), "fp32"),))))


def test_a_constant_is_rounded_once_to_the_type_of_its_operation():
    exact = 1 + 2.0**-20
    half = Value("h", (2, 3), "fp16")
    cast = Operation("cast", {"x": X, "dtype": "fp16"}, (half,))
    for operations in [
        (Operation("mul", {"x": X, "y": np.float64(exact)}, (Value("y", (2, 3), "fp32"),)),),
        (cast, Operation("mul", {"x": half, "y": np.float64(exact)}, (Value("y", (2, 3), "fp16"),))),
    ]:
        (result,) = build(program(*operations))(mx.ones((2, 3)))
        assert result.dtype == (mx.float32 if len(operations) == 1 else mx.float16)
        assert np.array(result).item(0) == (exact if len(operations) == 1 else 1.0)


def test_numbers_that_make_no_sense_are_named():
    turned = Operation("transpose", {"x": X, "perm": np.array([1, 1])}, (Value("y", (3, 3), "fp32"),))
    with pytest.raises(NotCovered, match="Repeat axes"):
        build(program(turned))(mx.zeros((2, 3)))
