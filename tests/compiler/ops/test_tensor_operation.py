"""Joining, cutting and bordering tensors, against NumPy."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

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
