"""Normalisations written out become one operation, change no number, and lookalikes are left alone."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.norms import recognise_norms

pytestmark = pytest.mark.mlx

EPSILON = np.float32(1e-3)
SQUARES = {
    "square": lambda d: mb.square(x=d),
    "product": lambda d: mb.mul(x=d, y=d),
    "power": lambda d: mb.pow(x=d, y=np.float32(2)),
}
DIVISIONS = {
    "rsqrt with epsilon": lambda d, v: mb.mul(x=d, y=mb.rsqrt(x=v, epsilon=EPSILON)),
    "rsqrt of a sum": lambda d, v: mb.mul(x=mb.rsqrt(x=mb.add(x=v, y=EPSILON), epsilon=np.float32(0)), y=d),
    "sqrt": lambda d, v: mb.real_div(x=d, y=mb.sqrt(x=mb.add(x=EPSILON, y=v))),
    "power": lambda d, v: mb.mul(x=d, y=mb.pow(x=mb.add(x=v, y=EPSILON), y=np.float32(-0.5))),
    "power under": lambda d, v: mb.real_div(x=d, y=mb.pow(x=mb.add(x=v, y=EPSILON), y=np.float32(0.5))),
    "one over a root": lambda d, v: mb.mul(x=d, y=mb.real_div(x=np.float32(1), y=mb.sqrt(x=mb.add(x=v, y=EPSILON)))),
}
AXES = ([-1], [1], [2, 3], [1, 2, 3])


def written_out(x, square, division, axes, centre=True, gamma=None, beta=None):
    d = mb.sub(x=x, y=mb.reduce_mean(x=x, axes=axes, keep_dims=True)) if centre else x
    y = DIVISIONS[division](d, mb.reduce_mean(x=SQUARES[square](d), axes=axes, keep_dims=True))
    y = y if gamma is None else mb.mul(x=y, y=gamma)
    return y if beta is None else mb.add(x=beta, y=y)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32) * 3 + 1


def agree(program, after, x):
    (wanted,), (given_,) = build(program)(mx.array(x)), build(after)(mx.array(x))
    np.testing.assert_allclose(np.array(given_), np.array(wanted), rtol=1e-4, atol=1e-4)


def wide(axes):
    """A constant over these axes, as it broadcasts to four."""
    named = {axis % 4 for axis in axes}
    return numbers(*((2, 3, 4, 5)[a] if a in named else 1 for a in range(4)), seed=len(axes))


@given(
    square=st.sampled_from(sorted(SQUARES)),
    division=st.sampled_from(sorted(DIVISIONS)),
    axes=st.sampled_from(AXES),
    centre=st.booleans(),
    affine=st.booleans(),
)
def test_every_way_to_write_it_is_one_operation(program_of, square, division, axes, centre, affine):
    x = numbers(2, 3, 4, 5)
    gamma, beta = (wide(axes), wide(axes) if centre else None) if affine else (None, None)
    program = program_of(lambda x: written_out(x, square, division, axes, centre, gamma, beta), x)
    after = recognise_norms(program)
    (norm,) = after.operations
    assert norm.kind == ("layer_norm" if centre else "rms_norm")
    assert ("gamma" in norm.inputs) == affine
    agree(program, after, x)


LOOKALIKES = {
    "the mean over another axis": lambda x: mb.mul(
        x=(d := mb.sub(x=x, y=mb.reduce_mean(x=x, axes=[1], keep_dims=True))),
        y=mb.rsqrt(x=mb.reduce_mean(x=mb.square(x=d), axes=[2], keep_dims=True), epsilon=EPSILON),
    ),
    "the squares of something else": lambda x: mb.mul(
        x=mb.sub(x=x, y=mb.reduce_mean(x=x, axes=[3], keep_dims=True)),
        y=mb.rsqrt(x=mb.reduce_mean(x=mb.square(x=mb.exp(x=x)), axes=[3], keep_dims=True), epsilon=EPSILON),
    ),
    "the maximum instead of the mean": lambda x: mb.mul(
        x=x, y=mb.rsqrt(x=mb.reduce_max(x=mb.square(x=x), axes=[3], keep_dims=True), epsilon=EPSILON)
    ),
    "a difference that is read elsewhere": lambda x: mb.add(
        x=(d := mb.sub(x=x, y=mb.reduce_mean(x=x, axes=[3], keep_dims=True))),
        y=mb.mul(x=d, y=mb.rsqrt(x=mb.reduce_mean(x=mb.square(x=d), axes=[3], keep_dims=True), epsilon=EPSILON)),
    ),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_keep_their_meaning(program_of, name):
    x = numbers(2, 3, 4, 5)
    program = program_of(LOOKALIKES[name], x)
    after = recognise_norms(program)
    assert "layer_norm" not in [operation.kind for operation in after.operations]
    agree(program, after, x)


def test_a_factor_along_another_axis_is_no_gamma(program_of):
    x = numbers(2, 3, 4, 5)
    program = program_of(lambda x: written_out(x, "square", "sqrt", [-1], gamma=numbers(3, 1, 1)), x)
    after = recognise_norms(program)
    assert [operation.kind for operation in after.operations] == ["layer_norm", "mul"]
    agree(program, after, x)


@pytest.mark.parametrize("put", [mb.mul, mb.add])
def test_what_is_longer_than_the_axes_of_the_norm_is_neither_gamma_nor_beta(program_of, put):
    x = numbers(2, 3, 1)
    program = program_of(lambda x: put(x=mb.layer_norm(x=x, axes=[-1]), y=numbers(7)), x)
    after = recognise_norms(program)
    assert len(after.operations) == 2
    agree(program, after, x)
