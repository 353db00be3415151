"""Joining, cutting and bordering tensors, against NumPy."""

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.registry import TABLE

pytestmark = pytest.mark.mlx

SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=5)
FLOATS = st.sampled_from([np.float32, np.float16])


def numbered(shape, dtype=np.float32, start=0):
    return (np.arange(np.prod(shape)) + start).reshape(shape).astype(dtype)


@given(shape=SHAPES, others=st.lists(st.integers(1, 4), min_size=1, max_size=3), dtype=FLOATS, data=st.data())
def test_concat(check, shape, others, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [shape[axis], *others]
    parts = []
    for size in sizes:
        one = list(shape)
        one[axis] = size
        parts.append(numbered(one, dtype, start=100 * len(parts)))
    check(lambda *v: mb.concat(values=v, axis=axis), lambda *v: np.concatenate(v, axis=axis), *parts)


@given(shape=SHAPES, n=st.integers(2, 3), data=st.data())
def test_concat_interleaved(check, shape, n, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    parts = [numbered(shape, start=1000 * i) for i in range(n)]

    def expected(*v):
        joined = np.stack(v, axis=axis + 1)
        return joined.reshape(*shape[:axis], shape[axis] * n, *shape[axis + 1 :])

    check(lambda *v: mb.concat(values=v, axis=axis, interleave=True), expected, *parts)


@given(shape=SHAPES, n=st.integers(1, 3), data=st.data())
def test_stack(check, shape, n, data):
    axis = data.draw(st.integers(0, len(shape)))
    parts = [numbered(shape, start=1000 * i) for i in range(n)]
    check(lambda *v: mb.stack(values=v, axis=axis), lambda *v: np.stack(v, axis=axis), *parts)


@given(
    shape=array_shapes(min_dims=1, max_dims=3, max_side=4),
    sizes=st.lists(st.integers(1, 3), min_size=2, max_size=4),
    data=st.data(),
)
def test_split(program_of, run_program, shape, sizes, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    whole = list(shape)
    whole[axis] = sum(sizes)
    x = numbered(whole)
    program = program_of(lambda x: tuple(mb.split(x=x, split_sizes=sizes, axis=axis)), x)
    wanted = np.split(x, np.cumsum(sizes)[:-1], axis=axis)
    for wanted_part, part in zip(wanted, run_program(program, x), strict=True):
        np.testing.assert_array_equal(part, wanted_part)


def test_split_in_equal_parts(program_of, run_program):
    x = numbered((2, 6))
    given = run_program(program_of(lambda x: tuple(mb.split(x=x, num_splits=3, axis=1)), x), x)
    np.testing.assert_array_equal(given, np.split(x, 3, axis=1))


@given(shape=SHAPES, data=st.data())
def test_tile(check, shape, data):
    reps = [data.draw(st.integers(1, 3)) for _ in shape]
    check(lambda x: mb.tile(x=x, reps=reps), lambda x: np.tile(x, reps), numbered(shape))


@given(
    shape=array_shapes(min_dims=2, max_dims=4, min_side=3, max_side=6),
    dtype=FLOATS,
    last=st.integers(1, 2),
    data=st.data(),
)
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_pad_borders_the_last_axes(check, mode, shape, dtype, last, data):
    pad = [data.draw(st.integers(0, 2)) for _ in range(2 * last)]
    pairs = [(0, 0)] * (len(shape) - last) + [(pad[2 * i], pad[2 * i + 1]) for i in range(last)]
    numpy_mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}[mode]
    options = {"constant_values": 7} if mode == "constant" else {}
    check(
        lambda x: mb.pad(x=x, pad=pad, mode=mode, constant_val=dtype(7)),
        lambda x: np.pad(x, pairs, mode=numpy_mode, **options),
        numbered(shape, dtype),
    )


def test_pad_before_the_last_two_axes(check):
    pad = [0, 0, 1, 2, 2, 0, 0, 1]
    pairs = [(0, 0), (1, 2), (2, 0), (0, 1)]
    for mode, numpy_mode in (("reflect", "reflect"), ("replicate", "edge"), ("constant", "constant")):
        check(
            lambda x, mode=mode: mb.pad(x=x, pad=pad, mode=mode),
            lambda x, mode=numpy_mode: np.pad(x, pairs, mode=mode),
            numbered((2, 3, 4, 5)),
        )


def test_numbers_without_axes_are_joined_to_a_row(check):
    def row(x):
        return mb.concat(values=[mb.reduce_sum(x=x, keep_dims=False), mb.reduce_max(x=x, keep_dims=False)], axis=0)

    check(row, lambda x: np.array([x.sum(), x.max()]), numbered((2, 3)))


@pytest.mark.parametrize("value", [np.float32(2.5), np.float16(2.5), np.int32(3), True])
def test_fill(run_mil, value):
    x = numbered((2, 3))
    full = run_mil(lambda x: mb.fill_like(ref_tensor=x, value=value), x)
    assert full.dtype == np.asarray(value).dtype
    np.testing.assert_array_equal(full, np.full((2, 3), value))
    full = np.array(TABLE["fill"].function(shape=(2, 3), value=mx.array(value)))
    np.testing.assert_array_equal(full, np.full((2, 3), value))


@given(shape=array_shapes(min_dims=1, max_dims=4, max_side=5))
def test_shape(run_mil, shape):
    np.testing.assert_array_equal(run_mil(lambda x: mb.shape(x=x), numbered(shape)), shape)


@pytest.mark.parametrize(
    ("start", "end", "step"), [(0, 7, 2), (5, -4, -3), (0.5, 3.25, 0.25), (0.0, 4.0, 1.5), (-3, 3, 1), (0, 300, 7)]
)
def test_range(start, end, step):
    dtype = np.float32 if isinstance(step, float) else np.int32
    lowering = TABLE["range_1d"].function
    given = np.array(lowering(end=mx.array(dtype(end)), start=mx.array(dtype(start)), step=mx.array(dtype(step))))
    assert given.dtype == dtype
    np.testing.assert_allclose(given, np.arange(start, end, step))


@given(shape=array_shapes(min_dims=1, max_dims=3, max_side=4), size=st.integers(1, 5), data=st.data())
@pytest.mark.parametrize(("on", "off"), [(1, 0), (np.float32(2), np.float32(-1)), (np.float16(1), np.float16(0))])
def test_one_hot(check, on, off, shape, size, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    # -1 and the size itself are outside
    x = np.random.default_rng(0).integers(-1, size + 1, shape).astype(np.int32)

    def expected(x):
        place = axis % (x.ndim + 1)
        along = np.arange(size).reshape([-1 if a == place else 1 for a in range(x.ndim + 1)])
        return np.where(np.expand_dims(x, place) == along, on, off)

    check(lambda x: mb.one_hot(indices=x, one_hot_vector_size=size, axis=axis, on_value=on, off_value=off), expected, x)


@given(
    shape=array_shapes(min_dims=2, max_dims=4, max_side=6),
    lower=st.integers(-1, 4),
    upper=st.integers(-1, 4),
    dtype=st.sampled_from([np.float32, np.float16, np.int32]),
)
def test_band_part(check, shape, lower, upper, dtype):
    def expected(x):
        m, n = np.indices(x.shape[-2:])
        return np.where((lower < 0) | (m - n <= lower), 1, 0) * np.where((upper < 0) | (n - m <= upper), 1, 0) * x

    check(lambda x: mb.band_part(x=x, lower=lower, upper=upper), expected, numbered(shape, dtype, start=1))


@given(
    shape=SHAPES,
    exclusive=st.booleans(),
    reverse=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float16, np.int32]),
    data=st.data(),
)
def test_cumsum(check, shape, exclusive, reverse, dtype, data):
    axis = data.draw(st.integers(-1, len(shape) - 1))
    x = np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)

    def expected(x):
        x = np.flip(x, axis) if reverse else x
        total = np.cumsum(x, axis=axis) - (x if exclusive else 0)
        return np.flip(total, axis) if reverse else total

    check(lambda x: mb.cumsum(x=x, axis=axis, exclusive=exclusive, reverse=reverse), expected, x)


def test_a_running_sum_of_halves_does_not_stand_still(run_mil):
    x = np.ones((1, 4096), np.float16)
    assert run_mil(lambda x: mb.cumsum(x=x, axis=1), x)[0, -1] == 4096


@given(shape=SHAPES, ascending=st.booleans(), dtype=st.sampled_from([np.float32, np.int32]), data=st.data())
def test_argsort(check, shape, ascending, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    # few different values, so that there are equals: the first one comes first
    x = np.random.default_rng(0).integers(-2, 3, shape).astype(dtype)
    check(
        lambda x: mb.argsort(x=x, axis=axis, ascending=ascending),
        lambda x: np.argsort(x if ascending else -x, axis=axis, kind="stable").astype(np.int32),
        x,
    )


@given(shape=SHAPES, ascending=st.booleans(), sort=st.booleans(), dtype=FLOATS, data=st.data())
def test_topk(program_of, run_program, shape, ascending, sort, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    k = data.draw(st.integers(1, shape[axis]))
    x = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape).astype(dtype)
    options = {"x": x, "k": k, "axis": axis, "ascending": ascending, "sort": sort}
    order = np.take(np.argsort(x if ascending else -x, axis=axis), range(k), axis=axis)
    values = np.take_along_axis(x, order, axis=axis)
    for word in ("int32", "uint16"):
        body = lambda x, word=word: mb.topk(**{**options, "x": x}, output_indices_dtype=word)  # noqa: E731
        given_values, given_places = run_program(program_of(body, x), x)
        np.testing.assert_array_equal(given_values, values)
        np.testing.assert_array_equal(given_places, order)
        assert given_places.dtype == np.dtype(word)
    (alone,) = run_program(program_of(lambda x: mb.topk(**{**options, "x": x}, return_indices=False), x), x)
    np.testing.assert_array_equal(alone, values)


def test_topk_of_ios_15(program_of, run_program):
    x = np.array([[3, 1, 2], [4, 6, 5]], np.float32)
    values, places = run_program(program_of(lambda x: mb.topk(x=x, k=2), x, opset=ct.target.iOS15), x)
    np.testing.assert_array_equal(values, [[3, 2], [6, 5]])
    np.testing.assert_array_equal(places, [[0, 2], [1, 2]])


@given(shape=SHAPES, data=st.data())
def test_flatten2d(check, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape)))
    cut = axis + len(shape) if axis < 0 else axis
    check(
        lambda x: mb.flatten2d(x=x, axis=axis),
        lambda x: x.reshape(int(np.prod(shape[:cut])), int(np.prod(shape[cut:]))),
        numbered(shape),
    )


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32"])
def test_any_kind_of_number_is_sorted_and_joined(run_mil, dtype):
    x = np.array([[3, 1, 100], [2, 7, 0]], np.int32)

    def body(x):
        small = mb.cast(x=x, dtype=dtype)
        best = mb.topk(x=small, k=2, return_indices=False)
        return mb.cast(x=mb.concat(values=(mb.reverse(x=best, axes=[1]), small), axis=1), dtype="int32")

    np.testing.assert_array_equal(run_mil(body, x), [[3, 100, 3, 1, 100], [2, 7, 2, 7, 0]])
