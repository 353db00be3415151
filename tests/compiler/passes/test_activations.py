"""Activations written out are found in any order of their factors, change no number, and lookalikes are left alone."""

import math

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.activations import recognise_activations

pytestmark = pytest.mark.mlx

NUMBER = np.float32


def times(a, b, swap=False):
    return mb.mul(x=b, y=a) if swap else mb.mul(x=a, y=b)


def plus(a, b, swap=False):
    return mb.add(x=b, y=a) if swap else mb.add(x=a, y=b)


def erf_gate(x, swap):
    scaled = mb.real_div(x=x, y=NUMBER(math.sqrt(2))) if swap else times(x, NUMBER(math.sqrt(0.5)))
    return plus(mb.erf(x=scaled), NUMBER(1), swap)


def tanh_gate(x, swap):
    cube = mb.pow(x=x, y=NUMBER(3)) if swap else times(times(x, x), x)
    inside = plus(x, times(NUMBER(0.044715), cube, swap), swap)
    return plus(NUMBER(1), mb.tanh(x=times(inside, NUMBER(math.sqrt(2 / math.pi)), swap)), swap)


GELUS = {
    "half first": lambda x, gate, swap: times(times(x, NUMBER(0.5), swap), gate(x, swap), swap),
    "half last": lambda x, gate, swap: times(times(x, gate(x, swap), swap), NUMBER(0.5), swap),
    "half at the gate": lambda x, gate, swap: times(x, times(gate(x, swap), NUMBER(0.5), swap), swap),
    "divided by two": lambda x, gate, swap: times(mb.real_div(x=x, y=NUMBER(2)), gate(x, swap), swap),
}


def six(x, swap):
    shifted = plus(x, NUMBER(3), swap)
    return mb.clip(x=shifted, alpha=0.0, beta=6.0) if swap else mb.relu6(x=shifted)


OTHERS = {
    "silu": ("silu", lambda x, swap: times(x, mb.sigmoid(x=x), swap)),
    "logistic gelu": ("gelu", lambda x, swap: times(x, mb.sigmoid(x=times(x, NUMBER(1.702), swap)), swap)),
    "erf times a half plus a half": (
        "gelu",
        lambda x, swap: times(
            x, plus(times(mb.erf(x=times(x, NUMBER(math.sqrt(0.5)))), NUMBER(0.5), swap), NUMBER(0.5), swap), swap
        ),
    ),
    "hard swish": ("hard_swish", lambda x, swap: times(x, mb.sigmoid_hard(x=x, alpha=1 / 6, beta=0.5), swap)),
    "hard swish by six": ("hard_swish", lambda x, swap: times(x, mb.real_div(x=six(x, swap), y=NUMBER(6)), swap)),
    "hard swish, divided last": ("hard_swish", lambda x, swap: mb.real_div(x=times(x, six(x, swap)), y=NUMBER(6))),
}


def numbers(rows, seed):
    return np.random.default_rng(seed).standard_normal((rows, 5)).astype(np.float32) * 4


def agree(program, after, x):
    (wanted,), (given_,) = build(program)(mx.array(x)), build(after)(mx.array(x))
    np.testing.assert_allclose(np.array(given_), np.array(wanted), rtol=1e-5, atol=1e-5)


@given(
    form=st.sampled_from(sorted(GELUS)),
    tanh=st.booleans(),
    swap=st.booleans(),
    rows=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_every_way_to_write_gelu_is_one_operation(program_of, form, tanh, swap, rows, seed):
    x = numbers(rows, seed)
    program = program_of(lambda x: GELUS[form](x, tanh_gate if tanh else erf_gate, swap), x)
    after = recognise_activations(program)
    (gelu,) = after.operations
    assert (gelu.kind, gelu.inputs["mode"]) == ("gelu", "TANH_APPROXIMATION" if tanh else "EXACT")
    agree(program, after, x)


@given(form=st.sampled_from(sorted(OTHERS)), swap=st.booleans(), rows=st.integers(1, 7), seed=st.integers(0, 99))
def test_the_others_are_one_operation_too(program_of, form, swap, rows, seed):
    kind, body = OTHERS[form]
    x = numbers(rows, seed)
    program = program_of(lambda x: body(x, swap), x)
    after = recognise_activations(program)
    assert [operation.kind for operation in after.operations] == [kind]
    agree(program, after, x)


def test_a_cut_below_which_the_gate_is_zero_anyway_goes(program_of):
    def body(x):
        cut = mb.thresholded_relu(x=x, alpha=-3.0)
        return mb.mul(x=cut, y=mb.sigmoid_hard(x=cut, alpha=1 / 6, beta=0.5))

    x = numbers(6, 1)
    program = program_of(body, x)
    after = recognise_activations(program)
    assert [operation.kind for operation in after.operations] == ["hard_swish"]
    agree(program, after, x)


def test_what_comes_from_half_precision_is_known_by_its_rounded_numbers(program_of):
    def body(x):
        gate = mb.add(x=mb.erf(x=mb.mul(x=x, y=np.float16(math.sqrt(0.5)))), y=np.float16(1))
        return mb.mul(x=mb.mul(x=x, y=np.float16(0.5)), y=gate)

    after = recognise_activations(program_of(body, numbers(3, 0).astype(np.float16)))
    assert [operation.kind for operation in after.operations] == ["gelu"]


LOOKALIKES = {
    "another factor": lambda x: times(times(x, NUMBER(0.4)), erf_gate(x, False)),
    "another number in erf": lambda x: times(times(x, NUMBER(0.5)), plus(mb.erf(x=times(x, NUMBER(0.708))), NUMBER(1))),
    "another x in the gate": lambda x: times(times(mb.exp(x=x), NUMBER(0.5)), erf_gate(x, False)),
    "a fourth power": lambda x: times(
        times(x, NUMBER(0.5)),
        plus(
            mb.tanh(
                x=times(plus(x, times(mb.pow(x=x, y=NUMBER(4)), NUMBER(0.044715))), NUMBER(math.sqrt(2 / math.pi)))
            ),
            NUMBER(1),
        ),
    ),
    "the logistic function of something else": lambda x: times(x, mb.sigmoid(x=mb.exp(x=x))),
    "a clip to another number": lambda x: mb.real_div(
        x=times(x, mb.clip(x=plus(x, NUMBER(3)), alpha=0.0, beta=5.0)), y=NUMBER(6)
    ),
    "a cut above the gate's": lambda x: (lambda c: times(c, mb.sigmoid_hard(x=c, alpha=1 / 6, beta=0.5)))(
        mb.thresholded_relu(x=x, alpha=-1.0)
    ),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_keep_their_meaning(program_of, name):
    x = numbers(5, 2)
    program = program_of(LOOKALIKES[name], x)
    after = recognise_activations(program)
    assert not {"gelu", "silu"} & {operation.kind for operation in after.operations}
    agree(program, after, x)


def test_a_gate_that_is_read_elsewhere_stays(program_of):
    def body(x):
        gate = mb.sigmoid(x=x)
        return mb.add(x=mb.mul(x=x, y=gate), y=gate)

    after = recognise_activations(program_of(body, numbers(2, 0)))
    assert [operation.kind for operation in after.operations] == ["sigmoid", "mul", "add"]


@pytest.mark.parametrize(("number", "kind"), [(0.5, "gelu"), (0.50048828125, "mul")])
def test_a_number_next_to_one_that_halves_have_is_another_number(program_of, number, kind):
    def body(x):
        gate = mb.add(x=mb.erf(x=mb.mul(x=x, y=np.float16(math.sqrt(0.5)))), y=np.float16(1))
        return mb.mul(x=mb.mul(x=x, y=np.float16(number)), y=gate)

    after = recognise_activations(program_of(body, np.ones((2, 3), np.float16)))
    assert after.operations[-1].kind == kind
