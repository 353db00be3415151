"""Reading and writing at places that a tensor names, against NumPy."""

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.registry import TABLE, NotCovered

pytestmark = pytest.mark.mlx

SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=5)
INDICES = st.sampled_from([np.int32, np.int16, np.uint16, np.int8, np.uint8])
MODES = {
    "update": lambda old, new: new,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}


def values(shape, dtype=np.float32, seed=0):
    return (np.random.default_rng(seed).integers(1, 33, shape) / 8).astype(dtype)


def places(size, shape, dtype=np.int32):
    return np.random.default_rng(3).integers(0, size, shape).astype(dtype)


@given(shape=SHAPES, wanted=array_shapes(min_dims=1, max_dims=3, max_side=4), dtype=INDICES, data=st.data())
def test_gather(check, shape, wanted, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    check(
        lambda x, i: mb.gather(x=x, indices=i, axis=axis),
        lambda x, i: np.take(x, i, axis=axis),
        values(shape),
        places(shape[axis], wanted, dtype),
    )


def test_gather_with_one_index_drops_the_axis(check):
    check(lambda x: mb.gather(x=x, indices=1, axis=1), lambda x: x[:, 1], values((2, 3, 4)))


def test_gather_counts_negative_indices_from_the_end(check):
    x, i = values((4, 3)), np.array([-1, 2, -4], np.int32)
    check(lambda x, i: mb.gather(x=x, indices=i), lambda x, i: x[i], x, i, opset=ct.target.iOS15)


@given(
    batch=array_shapes(min_dims=1, max_dims=2, max_side=3),
    shape=array_shapes(min_dims=1, max_dims=2, max_side=4),
    wanted=array_shapes(min_dims=1, max_dims=2, max_side=3),
    data=st.data(),
)
def test_gather_in_batches(check, batch, shape, wanted, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    x, i = values((*batch, *shape)), places(shape[axis], (*batch, *wanted))

    def expected(x, i):
        rows = [np.take(x[at], i[at], axis=axis) for at in np.ndindex(*batch)]
        return np.stack(rows).reshape(*batch, *rows[0].shape)

    check(lambda x, i: mb.gather(x=x, indices=i, axis=axis + len(batch), batch_dims=len(batch)), expected, x, i)


@given(shape=SHAPES, count=st.integers(1, 6), dtype=INDICES, data=st.data())
def test_gather_along_axis(check, shape, count, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    wanted = list(shape)
    wanted[axis] = count
    check(
        lambda x, i: mb.gather_along_axis(x=x, indices=i, axis=axis),
        lambda x, i: np.take_along_axis(x, i.astype(np.int64), axis=axis),
        values(shape),
        places(shape[axis], wanted, dtype),
    )


@given(
    batch=st.lists(st.integers(1, 3), max_size=2),
    shape=array_shapes(min_dims=1, max_dims=3, max_side=4),
    wanted=st.lists(st.integers(1, 3), min_size=1, max_size=2),
    data=st.data(),
)
def test_gather_nd(check, batch, shape, wanted, data):
    depth = data.draw(st.integers(1, len(shape)))
    x = values((*batch, *shape))
    i = np.stack([places(size, (*batch, *wanted)) for size in shape[:depth]], axis=-1)

    def expected(x, i):
        rows = [x[at[: len(batch)]][tuple(i[at])] for at in np.ndindex(*batch, *wanted)]
        return np.stack(rows).reshape(*batch, *wanted, *shape[depth:])

    check(lambda x, i: mb.gather_nd(x=x, indices=i, batch_dims=len(batch)), expected, x, i)


@pytest.mark.parametrize("mode", MODES)
@given(shape=SHAPES, count=st.integers(1, 4), dtype=st.sampled_from([np.float32, np.float16]), data=st.data())
def test_scatter(check, mode, shape, count, dtype, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    # the same place twice for the modes where the order does not matter
    pool = range(shape[axis])
    order = np.random.default_rng(0)
    i = order.permutation(pool)[:count] if mode in ("update", "div") else order.choice(pool, count)
    u = values((*shape[: axis % len(shape)], len(i), *shape[axis % len(shape) + 1 :]), dtype, 1)

    def expected(x, i, u):
        y = np.moveaxis(x.copy(), axis, 0)
        for place, new in zip(i, np.moveaxis(u, axis, 0), strict=True):
            y[place] = MODES[mode](y[place], new)
        return np.moveaxis(y, 0, axis)

    check(
        lambda x, i, u: mb.scatter(data=x, indices=i, updates=u, axis=axis, mode=mode),
        expected,
        values(shape, dtype),
        i.astype(np.int32),
        u,
    )


@pytest.mark.parametrize("mode", MODES)
@given(shape=SHAPES, count=st.integers(1, 4), data=st.data())
def test_scatter_along_axis(check, mode, shape, count, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    wanted = list(shape)
    wanted[axis] = min(count, shape[axis])
    # no place twice, so that the order does not matter
    i = np.take(np.argsort(values(shape, seed=7), axis=axis, kind="stable"), range(wanted[axis]), axis=axis)

    def expected(x, i, u):
        y = x.copy()
        np.put_along_axis(y, i, MODES[mode](np.take_along_axis(y, i, axis=axis), u), axis=axis)
        return y

    check(
        lambda x, i, u: mb.scatter_along_axis(data=x, indices=i, updates=u, axis=axis, mode=mode),
        expected,
        values(shape),
        i.astype(np.int32),
        values(wanted, seed=1),
    )


@pytest.mark.parametrize("mode", MODES)
@given(shape=array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=4), data=st.data())
def test_scatter_nd(check, mode, shape, data):
    depth = data.draw(st.integers(1, len(shape)))
    every = np.array(list(np.ndindex(*shape[:depth])), np.int32)
    i = np.random.default_rng(0).permutation(every)[: data.draw(st.integers(1, len(every)))]

    def expected(x, i, u):
        y = x.copy()
        for place, new in zip(i, u, strict=True):
            y[tuple(place)] = MODES[mode](y[tuple(place)], new)
        return y

    check(
        lambda x, i, u: mb.scatter_nd(data=x, indices=i, updates=u, mode=mode),
        expected,
        values(shape),
        i,
        values((len(i), *shape[depth:]), seed=1),
    )


def test_whole_numbers_are_not_divided_in_place():
    x = mx.array([8, 8])
    with pytest.raises(NotCovered, match="div"):
        TABLE["scatter"].function(data=x, indices=mx.array([0]), updates=mx.array([2]), mode="div")


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32])
def test_any_kind_of_number_is_gathered(run_mil, dtype):
    x = np.array([[3, 1], [2, 100]])

    def body(x):
        y = mb.gather(x=mb.cast(x=x, dtype=np.dtype(dtype).name), indices=[1, 0, 1], axis=1)
        return mb.cast(x=y, dtype="int32")

    np.testing.assert_array_equal(run_mil(body, x.astype(np.int32)), x[:, [1, 0, 1]])
