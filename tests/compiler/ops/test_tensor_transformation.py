"""Changes of shape and order, against NumPy."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx

SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=5)


def numbered(shape, dtype=np.float32):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "target", "result"),
    [((2, 6), (3, 4), (3, 4)), ((2, 6), (-1,), (12,)), ((2, 3, 4), (0, -1, 2), (2, 6, 2)), ((1, 5, 1), (5,), (5,))],
)
def test_reshape(check, shape, target, result):
    check(lambda x: mb.reshape(x=x, shape=target), lambda x: x.reshape(result), numbered(shape))


@given(shape=SHAPES, dtype=st.sampled_from([np.float32, np.float16, np.int32]), data=st.data())
def test_transpose(check, shape, dtype, data):
    perm = data.draw(st.permutations(range(len(shape))))
    signed = [axis - len(shape) if data.draw(st.booleans()) else axis for axis in perm]
    check(lambda x: mb.transpose(x=x, perm=signed), lambda x: x.transpose(perm), numbered(shape, dtype))


@given(shape=array_shapes(min_dims=1, max_dims=3, max_side=4), data=st.data())
def test_expand_dims(check, shape, data):
    axes = data.draw(st.lists(st.integers(0, len(shape)), min_size=1, max_size=2, unique=True))
    check(lambda x: mb.expand_dims(x=x, axes=axes), lambda x: np.expand_dims(x, tuple(axes)), numbered(shape))


@pytest.mark.parametrize(
    ("axes", "result"), [([0], (3, 1, 4)), ([0, 2], (3, 4)), ([-2], (1, 3, 4)), (None, (3, 4)), ([1, 2], (1, 3, 4))]
)
def test_squeeze_leaves_axes_that_are_longer_than_one(check, axes, result):
    options = {} if axes is None else {"axes": axes}
    check(lambda x: mb.squeeze(x=x, **options), lambda x: x.reshape(result), numbered((1, 3, 1, 4)))


@given(shape=SHAPES, data=st.data())
def test_reverse(check, shape, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    check(lambda x: mb.reverse(x=x, axes=axes), lambda x: np.flip(x, axes), numbered(shape))


@given(shape=array_shapes(min_dims=1, max_dims=3, min_side=3, max_side=7), data=st.data())
def test_slice_by_index(check, shape, data):
    begin = [data.draw(st.integers(0, n - 2)) for n in shape]
    end = [data.draw(st.integers(b + 1, n)) for b, n in zip(begin, shape, strict=True)]
    stride = [data.draw(st.integers(1, 3)) for _ in shape]
    masks = {k: [data.draw(st.booleans()) for _ in shape] for k in ("begin_mask", "end_mask")}
    index = tuple(
        slice(None if bm else b, None if em else e, s)
        for b, e, s, bm, em in zip(begin, end, stride, masks["begin_mask"], masks["end_mask"], strict=True)
    )
    negative = [e - n if e < n else e for e, n in zip(end, shape, strict=True)]
    for written in (end, negative):
        check(
            lambda x, e=written: mb.slice_by_index(x=x, begin=begin, end=e, stride=stride, **masks),
            lambda x: x[index],
            numbered(shape),
        )


def test_slice_by_index_squeezes(check):
    check(
        lambda x: mb.slice_by_index(x=x, begin=[0, 1, 0], end=[2, 2, 4], squeeze_mask=[False, True, False]),
        lambda x: x[:, 1],
        numbered((2, 3, 4)),
    )


@given(shape=array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=6), data=st.data())
def test_slice_by_size(check, shape, data):
    begin = [data.draw(st.integers(0, n - 1)) for n in shape]
    size = [data.draw(st.sampled_from([-1, *range(1, n - b + 1)])) for b, n in zip(begin, shape, strict=True)]
    index = tuple(slice(b, None if n == -1 else b + n) for b, n in zip(begin, size, strict=True))
    check(lambda x: mb.slice_by_size(x=x, begin=begin, size=size), lambda x: x[index], numbered(shape))


def to_space(x, b, blocks_first):
    n, c, h, w = x.shape
    if blocks_first:
        parts = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // b**2, h * b, w * b)


@pytest.mark.parametrize(
    ("kind", "size", "blocks_first"),
    [("depth_to_space", "block_size", True), ("pixel_shuffle", "upscale_factor", False)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_channels_to_space(program_of, run_program, kind, size, blocks_first, turned):
    x = numbered((2, 8, 3, 5))
    program = program_of(lambda x: getattr(mb, kind)(x=x, **{size: 2}), x)
    (given,) = run_program(channels_last(program) if turned else program, x)
    np.testing.assert_array_equal(given, to_space(x, 2, blocks_first))


@pytest.mark.parametrize(
    ("kind", "size", "blocks_first"),
    [("space_to_depth", "block_size", True), ("pixel_unshuffle", "downscale_factor", False)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_space_to_channels_is_the_inverse(program_of, run_program, kind, size, blocks_first, turned):
    wanted = numbered((2, 8, 3, 5))
    x = np.ascontiguousarray(to_space(wanted, 2, blocks_first))
    factor = np.uint32(2) if kind == "pixel_unshuffle" else 2
    program = program_of(lambda x: getattr(mb, kind)(x=x, **{size: factor}), x)
    (given,) = run_program(channels_last(program) if turned else program, x)
    np.testing.assert_array_equal(given, wanted)
