"""Operations on constants are done before the program runs."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.constants import fold_constants
from app.compiler.passes.precision import compute_in
from app.compiler.program import Operation, Program, Value

pytestmark = pytest.mark.mlx

X = Value("x", (2, 3), "fp32")


def program(*operations, output):
    return Program((X,), operations, (("y", output),))


def test_a_chain_from_a_shape_to_a_shape_disappears(run_program):
    sizes, one = Value("sizes", (2,), "int32"), Value("one", (1,), "int32")
    joined, y = Value("joined", (2,), "int32"), Value("y", (3, 2), "fp32")
    before = program(
        Operation("shape", {"x": X}, (sizes,)),
        Operation("gather", {"x": sizes, "indices": np.array([1], np.int32), "axis": 0}, (one,)),
        Operation("concat", {"values": (one, np.array([-1], np.int32)), "axis": 0}, (joined,)),
        Operation("reshape", {"x": X, "shape": joined}, (y,)),
        output=y,
    )
    after = fold_constants(before)
    assert [operation.kind for operation in after.operations] == ["reshape"]
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(run_program(after, x)[0], x.reshape(3, 2))


def scaled_by_root(x):
    # 2 as a half has a root that no half is
    return mb.mul(x=mb.cast(x=x, dtype="fp16"), y=mb.sqrt(x=np.array([2.0], np.float16)))


def test_in_float32_a_root_of_a_half_is_not_rounded_to_a_half(program_of, run_program):
    x = np.ones(3, np.float32)
    folded = fold_constants(compute_in("fp32")(program_of(scaled_by_root, x)))
    assert "sqrt" not in [operation.kind for operation in folded.operations]
    np.testing.assert_allclose(run_program(folded, x)[0], np.sqrt(np.float32(2)), rtol=1e-3)
    (scale,) = (o.constant("y") for o in folded.operations if o.kind == "mul")
    np.testing.assert_allclose(scale, np.sqrt(2), rtol=1e-7)


def test_as_stored_the_folded_program_gives_what_the_other_gives(program_of, run_program):
    x = np.linspace(-1, 1, 3, dtype=np.float32)
    plain = program_of(scaled_by_root, x)
    np.testing.assert_array_equal(run_program(fold_constants(plain), x), run_program(plain, x))


def test_weights_that_are_only_turned_stay_halves():
    weight, turned = np.arange(6, dtype=np.float16).reshape(2, 3), Value("turned", (3, 2), "fp16")
    y = Value("y", (2, 2), "fp16")
    before = program(
        Operation("transpose", {"x": weight, "perm": np.array([1, 0])}, (turned,)),
        Operation("matmul", {"x": X, "y": turned}, (y,)),
        output=y,
    )
    (product,) = fold_constants(before).operations
    folded = product.constant("y")
    assert folded.dtype == np.float16
    np.testing.assert_array_equal(folded, weight.T)


def test_a_small_tensor_does_not_become_a_large_constant():
    large = Value("large", (2, 3, 1_000_000), "fp32")
    y = Value("y", (2, 3, 1_000_000), "fp32")
    before = program(
        Operation("fill", {"shape": np.array(large.shape), "value": np.float32(1)}, (large,)),
        Operation("mul", {"x": large, "y": np.float32(2)}, (y,)),
        output=y,
    )
    assert [operation.kind for operation in fold_constants(before).operations] == ["fill", "mul"]


def test_what_an_output_gives_stays():
    made = Value("made", (2,), "fp32")
    fill = Operation("fill", {"shape": np.array([2]), "value": np.float32(1)}, (made,))
    assert [one.kind for one in fold_constants(program(fill, output=made)).operations] == ["fill"]


def test_an_attribute_that_no_lowering_follows_is_left_to_be_refused():
    made, y = Value("made", (2,), "fp32"), Value("y", (2, 3), "fp32")
    before = program(
        Operation("pad", {"x": np.ones(1, np.float32), "pad": np.array([0, 1]), "mode": "wrap"}, (made,)),
        Operation("mul", {"x": X, "y": made}, (y,)),
        output=y,
    )
    assert [operation.kind for operation in fold_constants(before).operations] == ["pad", "mul"]


def test_every_result_of_an_operation_is_known(program_of, run_program):
    def body(x):
        values, places = mb.topk(x=np.array([3.0, 1.0, 2.0], np.float32), k=2)
        return mb.add(x=x, y=mb.mul(x=values, y=mb.cast(x=places, dtype="fp32")))

    x = np.zeros(2, np.float32)
    folded = fold_constants(program_of(body, x, opset=ct.target.iOS16))
    assert [operation.kind for operation in folded.operations] == ["add"]
    np.testing.assert_array_equal(run_program(folded, x)[0], [0, 4])
