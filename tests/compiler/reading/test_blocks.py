"""Blocks inside operations come into line: what they compute is what Core ML would."""

import time

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

from app.compiler.build import build
from app.compiler.ops.registry import NotCovered
from app.compiler.passes.constants import fold_constants
from app.compiler.reading import blocks
from app.compiler.reading.legalise import translate

pytestmark = pytest.mark.mlx
X = np.array([[1, -2, 3]], np.float32)


def counted(times, step):
    """step(i, x) `times` times, i from 0."""

    def program(x):
        _, y = mb.while_loop(
            _cond=lambda i, x: mb.less(x=i, y=np.int32(times)),
            _body=lambda i, x: (mb.add(x=i, y=np.int32(1)), step(i, x)),
            loop_vars=(np.int32(0), x),
        )
        return y

    return program


def kinds(program):
    return [operation.kind for operation in program.operations]


@pytest.mark.parametrize("times", [0, 1, 5])
def test_a_counted_loop_is_written_out(program_of, run_program, times):
    program = program_of(counted(times, lambda i, x: mb.mul(x=x, y=np.float32(2))), X)
    assert kinds(fold_constants(program)).count("mul") == times
    np.testing.assert_array_equal(run_program(program, X)[0], X * 2**times)


def test_the_counter_can_be_computed_with(program_of, run_program):
    program = program_of(counted(4, lambda i, x: mb.add(x=x, y=mb.cast(x=i, dtype="fp32"))), X)
    np.testing.assert_array_equal(run_program(program, X)[0], X + 6)
    assert kinds(fold_constants(program)) == ["add"] * 4


def test_loops_in_loops(program_of, run_program):
    inner = counted(3, lambda i, x: mb.add(x=x, y=np.float32(1)))
    program = program_of(counted(2, lambda i, x: mb.mul(x=inner(x), y=np.float32(2))), X)
    np.testing.assert_array_equal(run_program(program, X)[0], ((X + 3) * 2 + 3) * 2)


def test_a_loop_that_ends_by_a_float(program_of, run_program):
    def body(x):
        _, y = mb.while_loop(
            _cond=lambda r, x: mb.greater(x=r, y=np.float32(0.3)),
            _body=lambda r, x: (mb.mul(x=r, y=np.float32(0.5)), mb.add(x=x, y=r)),
            loop_vars=(np.float32(1), x),
        )
        return y

    np.testing.assert_allclose(run_program(program_of(body, X), X)[0], X + 1.5)


def test_variables_that_change_places(program_of, run_program):
    def body(x):
        _, a, b = mb.while_loop(
            _cond=lambda i, a, b: mb.less(x=i, y=np.int32(3)),
            _body=lambda i, a, b: (mb.add(x=i, y=np.int32(1)), b, mb.add(x=a, y=np.float32(1))),
            loop_vars=(np.int32(0), x, mb.square(x=x)),
        )
        return mb.sub(x=a, y=b)

    np.testing.assert_array_equal(run_program(program_of(body, X), X)[0], (X**2 + 1) - (X + 2))


def test_a_loop_whose_end_the_input_decides_is_refused(program_of):
    def body(x):
        return mb.while_loop(
            _cond=lambda x: mb.less(x=mb.reduce_sum(x=x, axes=[0, 1], keep_dims=False), y=np.float32(9)),
            _body=lambda x: mb.add(x=x, y=np.float32(1)),
            loop_vars=(x,),
        )

    with pytest.raises(NotCovered, match="known only at run time"):
        program_of(body, X)


def for_ever(x):
    return mb.while_loop(
        _cond=lambda a, b, x: mb.not_equal(x=a, y=b),
        _body=lambda a, b, x: (b, a, x),
        loop_vars=(np.int32(0), np.int32(1), x),
    )[2]


often = counted(2**30, lambda i, x: mb.exp(x=x))
ENDLESS = {"by going round": for_ever, "by counting": often, "inside another": counted(2**30, lambda i, x: often(x))}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_loop_that_is_too_long_is_refused(program_of, monkeypatch, name):
    monkeypatch.setattr(blocks, "_TURNS", 200)
    with pytest.raises(NotCovered, match="too many turns"):
        program_of(ENDLESS[name], X)


def test_a_loop_that_ends_late_is_refused_soon(program_of):
    start = time.monotonic()
    with pytest.raises(NotCovered, match="too many turns"):
        program_of(often, X)
    assert time.monotonic() - start < 15


def branches(pred, first=lambda x: mb.add(x=x, y=np.float32(1)), second=lambda x: mb.mul(x=x, y=np.float32(3))):
    def program(x):
        return mb.cond(pred=pred(x), _true_fn=lambda: first(x), _false_fn=lambda: second(x))

    return program


def positive(x):
    return mb.greater(x=mb.reduce_sum(x=x, axes=[0, 1], keep_dims=False), y=np.float32(0))


@pytest.mark.parametrize(("n", "kind"), [(3, "add"), (5, "mul")])
def test_a_branch_that_is_known_is_taken(program_of, n, kind):
    program = program_of(branches(lambda x: mb.less(x=mb.shape(x=x), y=np.int32(4)) and np.bool_(n < 4)), X)
    assert kinds(program) == [kind]


@pytest.mark.parametrize(("x", "wanted"), [(X, X + 1), (-X, -X * 3)])
def test_a_branch_that_the_input_decides_is_selected(program_of, run_program, x, wanted):
    np.testing.assert_array_equal(run_program(program_of(branches(positive), x), x)[0], wanted)


def test_branches_in_branches(program_of, run_program):
    inner = branches(lambda x: mb.greater(x=mb.reduce_max(x=x, axes=[0, 1], keep_dims=False), y=np.float32(2)))
    program = program_of(branches(positive, first=inner), X)
    for x, wanted in [(X, X + 1), (X / 3, X), (-X, -X * 3)]:
        np.testing.assert_allclose(run_program(program, x)[0], wanted, rtol=1e-6)


def test_a_branch_that_gives_what_it_was_given(program_of, run_program):
    program = program_of(branches(positive, first=lambda x: mb.identity(x=x)), X)
    np.testing.assert_array_equal(run_program(program, X)[0], X)


def loaded(program, tmp_path):
    """A program saved and read again, as every file comes."""
    from app.compiler.reading.package import open_package
    from app.compiler.reading.read import read_program, read_specification

    path = tmp_path / "blocks.mlpackage"
    ct.convert(program, minimum_deployment_target=ct.target.iOS18, skip_model_load=True).save(str(path))
    package = open_package(path)
    return translate(read_program(package, read_specification(package), None))


def test_blocks_from_a_file(tmp_path, run_program):
    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3))], opset_version=ct.target.iOS18)
    def program(x):
        return branches(positive, first=counted(3, lambda i, x: mb.add(x=x, y=mb.cast(x=i, dtype="fp32"))))(x)

    program = loaded(program, tmp_path)
    for x, wanted in [(X, X + 3), (-X, -X * 3)]:
        np.testing.assert_allclose(run_program(program, x)[0], wanted, rtol=1e-2)


def test_a_state_goes_in_and_comes_out(tmp_path):
    specs = [mb.TensorSpec(shape=(1, 3), dtype=types.fp16), mb.StateTensorSpec(shape=(1, 3), dtype=types.fp16)]

    @mb.program(input_specs=specs, opset_version=ct.target.iOS18)
    def program(x, total):
        before = mb.read_state(input=total)
        after = mb.coreml_update_state(state=total, value=mb.add(x=before, y=x))
        return mb.mul(x=after, y=np.float16(2))

    program = loaded(program, tmp_path)
    assert [value.name for value in program.inputs] == ["x", "total"]
    assert [name for name, _ in program.outputs][1:] == ["total"]
    doubled, total = build(program)(mx.array(X).astype(mx.float16), mx.ones((1, 3), dtype=mx.float16))
    np.testing.assert_array_equal(np.array(doubled), (X + 1) * 2)
    np.testing.assert_array_equal(np.array(total), X + 1)


def test_a_state_written_in_one_branch_of_two_is_refused(tmp_path):
    specs = [mb.TensorSpec(shape=(1, 3), dtype=types.fp16), mb.StateTensorSpec(shape=(1, 3), dtype=types.fp16)]

    @mb.program(input_specs=specs, opset_version=ct.target.iOS18)
    def program(x, total):
        return mb.cond(
            pred=mb.greater(x=mb.reduce_sum(x=x, axes=[0, 1], keep_dims=False), y=np.float16(0)),
            _true_fn=lambda: mb.coreml_update_state(state=total, value=x),
            _false_fn=lambda: mb.read_state(input=total),
        )

    with pytest.raises(NotCovered, match="state"):
        loaded(program, tmp_path)


@pytest.mark.parametrize("count", [0, 2])
def test_a_condition_of_other_than_one_value_is_refused_by_name(count):
    with pytest.raises(NotCovered, match=f"while_loop .decided by {count} values"):
        blocks._truth(np.ones(count, bool), "while_loop")
