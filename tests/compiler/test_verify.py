"""The optimised function is held against the plain program, and what spoils it is named."""

from dataclasses import replace

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler import verify as room
from app.compiler.facts import Feature
from app.compiler.ops.registry import TABLE, Lowered
from app.compiler.passes.declared import take_inputs
from app.compiler.program import Operation
from app.compiler.verify import noise, verify, verify_program

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def branched(program_of, facts_of):
    """A convolution, a depthwise one beside a pooling, their sum, and a linear layer: two outputs."""

    def body(x):
        y = mb.relu(x=mb.conv(x=x, weight=values(6, 3, 3, 3) / 5, pad_type="same"))
        deep = mb.conv(x=y, weight=values(6, 1, 3, 3, seed=1) / 3, groups=6, pad_type="same")
        wide = mb.avg_pool(x=y, kernel_sizes=[3, 3], strides=[1, 1], pad_type="same")
        both = mb.tanh(x=mb.add(x=deep, y=wide))
        flat = mb.reduce_mean(x=both, axes=[2, 3], keep_dims=False)
        return mb.linear(x=flat, weight=values(4, 6, seed=2)), both

    facts = facts_of(Feature("x0", "multiArray", (1, 3, 9, 8), "fp32"))
    return take_inputs(program_of(body, values(1, 3, 9, 8)), facts)


@pytest.fixture
def spoil(monkeypatch):
    """spoil(kind, change): the lowering's results pass through `change` from now on."""

    def spoil_one(kind, change):
        row = TABLE[kind]

        def spoiled(*args, **named):
            return change(row.function(*args, **named))

        monkeypatch.setitem(TABLE, kind, Lowered(spoiled, row.axes, row.parameters))

    return spoil_one


def corner(y):
    """Another number in one corner of the last channel."""
    mask = np.zeros(y.shape, bool)
    mask[:, -1, -1, -1] = True
    return mx.where(mx.array(mask), y + 1, y)


def test_a_sound_program_agrees(branched):
    found = verify_program(branched, [values(1, 3, 9, 8, seed=3)])
    assert found.agrees
    assert found.precision == "fp32"
    assert [output.name for output in found.outputs] == [name for name, _ in branched.outputs]
    assert all(output.cosine > 0.9999999 and output.relative < 1e-5 for output in found.outputs)
    assert found.first_operation is None
    assert found.first_difference is None


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_rounding_is_no_divergence(branched, precision):
    found = verify_program(branched, [values(1, 3, 9, 8, seed=3)], precision)
    assert found.agrees
    assert found.precision == precision
    assert found.outputs[0].largest > 0


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("banded_conv", corner),
        ("banded_conv", lambda y: y * 1.01),
        ("banded_conv", lambda y: mx.where(y == mx.max(y), mx.inf, y)),
        ("unfolded_conv", lambda y: y[:, ::-1]),
    ],
)
def test_a_broken_route_is_found_and_the_operation_named(branched, spoil, kind, change):
    spoil(kind, change)
    found = verify_program(branched, [values(1, 3, 9, 8, seed=3)])
    assert not found.agrees
    assert found.first_operation == "conv"
    first = next(operation for operation in branched.operations if operation.kind == "conv")
    named_first = found.first_difference.name == first.output.name
    # The depthwise convolution alone is banded, and the first one alone is unfolded.
    assert named_first == (kind == "unfolded_conv")


@pytest.mark.parametrize(("precision", "agrees"), [("fp32", False), ("fp16", True)])
def test_of_whole_numbers_most_have_to_be_the_same(program_of, facts_of, monkeypatch, precision, agrees):
    x = values(1, 3, 20, 20)

    def one_other(program):
        """A pass after which one index in a hundred is another one."""
        spots = (np.arange(400) % 100 == 7).astype(np.int32).reshape(1, 20, 20)
        (name, value), *_ = program.outputs
        moved = replace(value, name="moved")
        return replace(
            program,
            operations=(*program.operations, Operation("add", {"x": value, "y": spots}, (moved,))),
            outputs=((name, moved),),
        )

    program = program_of(lambda x: mb.reduce_argmax(x=x, axis=1, keep_dims=False), x)
    program = take_inputs(program, facts_of(Feature("x0", "multiArray", x.shape, "fp32")))
    passes = room.passes_for
    monkeypatch.setattr(room, "passes_for", lambda *args: (*passes(*args), one_other))
    found = verify_program(program, [x], precision)
    assert found.outputs[0].same == pytest.approx(0.99, abs=0.005)
    assert found.agrees == agrees


def test_an_operation_behind_the_broken_one_is_not_blamed(branched, monkeypatch):
    def double(program):
        """A pass that takes tanh for twice its value."""
        operations = tuple(
            replace(o, kind="scaled_tanh", inputs={**o.inputs, "alpha": 2.0, "beta": 1.0}) if o.kind == "tanh" else o
            for o in program.operations
        )
        return replace(program, operations=operations)

    passes = room.passes_for
    monkeypatch.setattr(room, "passes_for", lambda *args: (*passes(*args), double))
    found = verify_program(branched, [values(1, 3, 9, 8, seed=3)])
    assert not found.agrees
    assert found.first_operation == "tanh"
    assert found.first_difference.relative == pytest.approx(1, rel=1e-3)


def test_a_file_is_verified_on_noise(small_package):
    for precision in ("stored", "fp32"):
        found = verify(small_package, precision=precision)
        assert found.agrees
        assert found.outputs[0].name == "classLabel_probs"


def test_a_photo_may_stand_for_the_noise(small_package):
    photo = np.full((1, 10, 12, 3), 77, np.uint8)
    one, other = (verify(small_package, precision="fp32", arrays=a) for a in ({"image": photo}, None))
    assert one.agrees
    assert one.outputs != other.outputs


@pytest.mark.parametrize(
    ("feature", "dtype", "low", "high"),
    [
        (Feature("a", "image", (1, 20, 30, 3), "uint8", "RGB"), np.uint8, 0, 255),
        (Feature("a", "image", (1, 20, 30, 1), "fp16", "GRAYSCALE_FLOAT16"), np.float16, 0, 1),
        (Feature("a", "multiArray", (2, 50), "fp32"), np.float32, -6, 6),
        (Feature("a", "multiArray", (2, 50), "fp64"), np.float32, -6, 6),
        (Feature("a", "multiArray", (2, 50), "int32"), np.int32, 0, 1),
    ],
)
def test_noise_fits_the_input_and_repeats(facts_of, feature, dtype, low, high):
    one, again, other = (noise(facts_of(feature), seed)["a"] for seed in (1, 1, 2))
    assert one.shape == feature.shape
    assert one.dtype == dtype
    assert low <= one.min() < one.max() <= high
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.fixture
def facts_of():
    """facts_of(feature): all that `noise` looks at."""

    class Facts:
        def __init__(self, feature):
            self.inputs = (feature,)
            self.name = "model"

    return Facts


def test_what_the_threads_of_the_cpu_share_is_verified_as_they_share_it(branched, monkeypatch):
    seen = []
    monkeypatch.setattr(room, "computing_threads", lambda: 3)
    monkeypatch.setattr(room, "in_lanes", lambda program, lanes: seen.append(lanes) or program)
    assert verify_program(branched, [values(1, 3, 9, 8)]).agrees
    assert seen == [3]
