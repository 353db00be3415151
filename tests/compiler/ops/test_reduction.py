"""Reductions against NumPy."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])
KINDS = {
    "reduce_mean": np.mean,
    "reduce_sum": np.sum,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_prod": np.prod,
    "reduce_sum_square": lambda x, **k: np.sum(x * x, **k),
    "reduce_l1_norm": lambda x, **k: np.sum(np.abs(x), **k),
    "reduce_l2_norm": lambda x, **k: np.sqrt(np.sum(x * x, **k)),
    "reduce_log_sum": lambda x, **k: np.log(np.sum(x, **k)),
    "reduce_log_sum_exp": lambda x, **k: np.log(np.sum(np.exp(x), **k)),
}


def positive(shape, dtype):
    return np.random.default_rng(0).uniform(0.25, 1.5, shape).astype(dtype)


@pytest.mark.parametrize("kind", KINDS)
@given(shape=array_shapes(min_dims=1, max_dims=4, max_side=5), dtype=FLOATS, keep=st.booleans(), data=st.data())
def test_reduction(check, kind, shape, dtype, keep, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    signed = [axis - len(shape) if data.draw(st.booleans()) else axis for axis in axes]
    if not keep and len(axes) == len(shape):
        keep = True  # MIL has no tensor without axes here
    check(
        lambda x: getattr(mb, kind)(x=x, axes=signed, keep_dims=keep),
        lambda x: KINDS[kind](x, axis=tuple(axes), keepdims=keep),
        positive(shape, dtype),
        scale=4,
    )


def test_a_mean_of_many_halves_does_not_saturate(run_mil):
    x = np.full((1, 1, 300, 300), 3.0, np.float16)
    assert run_mil(lambda x: mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True), x).item() == 3.0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("reduce_l2_norm", 2000.0), ("reduce_log_sum", np.log(4e5)), ("reduce_log_sum_exp", 4 + np.log(1e5))],
)
def test_what_leaves_the_range_of_halves_on_the_way_comes_back(run_mil, kind, expected):
    x = np.full((1, 10**6 if kind == "reduce_l2_norm" else 10**5), 2.0 if kind == "reduce_l2_norm" else 4.0, np.float16)
    given = run_mil(lambda x: getattr(mb, kind)(x=x, axes=[1], keep_dims=False), x)
    np.testing.assert_allclose(given, [expected], rtol=1e-3)


@pytest.mark.parametrize("kind", ["reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_mean"])
@given(shape=array_shapes(min_dims=2, max_dims=3, max_side=4), data=st.data())
def test_whole_numbers_stay_whole(check, kind, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(0).integers(-4, 5, shape).astype(np.int32)
    check(
        lambda x: getattr(mb, kind)(x=x, axes=[axis], keep_dims=True),
        lambda x: KINDS[kind](x, axis=axis, keepdims=True).astype(np.int32),
        x,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_all_axes_when_none_is_named(run_mil, kind):
    x = positive((2, 3, 4), np.float32)
    given = run_mil(lambda x: getattr(mb, kind)(x=x, keep_dims=False), x)
    np.testing.assert_allclose(given, KINDS[kind](x.astype(np.float64)), rtol=1e-5)


@pytest.mark.parametrize("word", ["int32", "uint16"])
def test_the_index_has_the_type_that_is_asked_for(run_mil, word):
    x = positive((3, 5), np.float16)
    given = run_mil(lambda x: mb.reduce_argmax(x=x, axis=1, output_dtype=word), x)
    assert given.dtype == np.dtype(word)
    np.testing.assert_array_equal(given, x.argmax(axis=1))


@pytest.mark.parametrize(("kind", "function"), [("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)])
@given(shape=array_shapes(min_dims=2, max_dims=4, max_side=6), keep=st.booleans(), data=st.data())
def test_index_of_the_extreme(check, kind, function, shape, keep, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    # few different values, so that there are equals: the first one counts
    x = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)
    check(
        lambda x: getattr(mb, kind)(x=x, axis=axis, keep_dims=keep),
        lambda x: function(x, axis=axis, keepdims=keep).astype(np.int32),
        x,
    )
