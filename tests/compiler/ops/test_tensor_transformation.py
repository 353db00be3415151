"""Changes of shape and order, against NumPy."""

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from app.compiler.ops.registry import TABLE
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


@pytest.mark.parametrize(
    ("shape", "target", "result"),
    [((2, 50), (1, 0, -1, 0), (1, 1, 2, 50)), ((2, 3, 4), (-1, 0), (6, 4)), ((2, 3, 4), (0, 0, -1), (2, 3, 4))],
)
def test_reshape_counts_zeros_from_the_last_axis(check, shape, target, result):
    check(lambda x: mb.reshape(x=x, shape=target), lambda x: x.reshape(result), numbered(shape))


def test_reshape_like(check):
    def like(x, a, b):
        return mb.reshape_like(
            x=x, ref_tensors=(a, b), begins=(0, 1), ends=(2, 0), end_masks=(False, True)
        )  # the example of the op's documentation

    check(
        like,
        lambda x, a, b: x.reshape(2, 3, 5, 6),
        numbered((6, 30)),
        numbered((2, 3, 4)),
        numbered((1, 5, 6)),
        opset=ct.target.iOS16,
    )


@given(shape=array_shapes(min_dims=2, max_dims=4, max_side=5), data=st.data())
def test_reverse_sequence(check, shape, data):
    seq_axis, batch_axis = data.draw(st.permutations(range(len(shape))))[:2]
    counts = [data.draw(st.integers(0, shape[seq_axis])) for _ in range(shape[batch_axis])]

    def expected(x, lengths):
        y = np.moveaxis(x.copy(), (batch_axis, seq_axis), (0, 1))
        for part, length in zip(y, lengths, strict=True):
            part[:length] = part[:length][::-1].copy()
        return np.moveaxis(y, (0, 1), (batch_axis, seq_axis))

    check(
        lambda x, n: mb.reverse_sequence(x=x, lengths=n, seq_axis=seq_axis, batch_axis=batch_axis),
        expected,
        numbered(shape),
        np.array(counts, np.int32),
    )


def backward_slices(data, shape):
    """begin, end, stride and the masks, and the index that they make, some axes backwards."""
    begin, end, stride, index, masks = [], [], [], [], ([], [])
    for n in shape:
        masked = (data.draw(st.booleans()), data.draw(st.booleans()))
        step = data.draw(st.sampled_from([-3, -2, -1, 1, 2]))
        low, high = sorted(data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=2, unique=True)))
        first, last = (high, low) if step < 0 else (low, high)
        begin.append(first - n if data.draw(st.booleans()) else first)
        end.append(last)
        stride.append(step)
        masks[0].append(masked[0])
        masks[1].append(masked[1])
        index.append(slice(None if masked[0] else first, None if masked[1] else last, step))
    return {"begin": begin, "end": end, "stride": stride, "begin_mask": masks[0], "end_mask": masks[1]}, tuple(index)


@given(shape=array_shapes(min_dims=1, max_dims=4, min_side=3, max_side=7), data=st.data())
def test_slice_by_index_backwards(run_program, shape, data):
    # coremltools infers no shape for some of these, so the lowering is called by itself
    options, index = backward_slices(data, shape)
    x = numbered(shape)
    given = TABLE["slice_by_index"].function(mx.array(x), **options)
    np.testing.assert_array_equal(np.array(given), x[index])


@given(shape=array_shapes(min_dims=1, max_dims=4, min_side=3, max_side=6), data=st.data())
def test_slice_update(shape, data):
    options, index = backward_slices(data, shape)
    x = numbered(shape)
    wanted = x.copy()
    update = -1 - numbered(x[index].shape)
    wanted[index] = update
    before = mx.array(x)
    given = mx.compile(lambda x, u: TABLE["slice_update"].function(x, update=u, **options))(before, mx.array(update))
    np.testing.assert_array_equal(np.array(given), wanted)
    np.testing.assert_array_equal(np.array(before), x)


def test_slice_update_squeezes(check):
    def expected(x, u):
        y = x.copy()
        y[:, 1] = u
        return y

    check(
        lambda x, u: mb.slice_update(x=x, update=u, begin=[0, 1, 0], end=[2, 2, 4], squeeze_mask=[False, True, False]),
        expected,
        numbered((2, 3, 4)),
        -numbered((2, 4)),
        opset=ct.target.iOS18,
    )


@given(shape=array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=7), data=st.data())
def test_sliding_windows(check, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    size, stride = data.draw(st.integers(1, shape[axis])), data.draw(st.integers(1, 3))

    def expected(x):
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=axis)
        windows = np.moveaxis(windows, -1, axis % x.ndim + 1)
        return windows[(slice(None),) * (axis % x.ndim) + (slice(None, None, stride),)]

    check(lambda x: mb.sliding_windows(x=x, axis=axis, size=size, stride=stride), expected, numbered(shape))


def in_blocks(x, block, paddings):
    """TensorFlow's definition of space_to_batch."""
    x = np.pad(x, [(0, 0), (0, 0), *paddings])
    parts = [x[:, :, i :: block[0], j :: block[1]] for i in range(block[0]) for j in range(block[1])]
    return np.concatenate(parts)


@given(
    n=st.integers(1, 3), c=st.integers(1, 3), h=st.integers(1, 4), w=st.integers(1, 4), bh=st.integers(1, 3),
    bw=st.integers(1, 3), data=st.data(),
)  # fmt: skip
def test_space_to_batch_and_back(check, n, c, h, w, bh, bw, data):
    top, left = data.draw(st.integers(0, bh * h - 1)), data.draw(st.integers(0, bw * w - 1))
    borders = [[top, 0], [0, left]]
    x = numbered((n, c, bh * h - top, bw * w - left))
    options = {"block_shape": [bh, bw]}
    check(lambda x: mb.space_to_batch(x=x, paddings=borders, **options), lambda x: in_blocks(x, (bh, bw), borders), x)
    check(
        lambda x: mb.batch_to_space(x=x, crops=borders, **options),
        lambda y: x,
        np.ascontiguousarray(in_blocks(x, (bh, bw), borders)),
    )
