"""Programs of random operations: whatever the batch axis meets, N images at once give what N single runs give."""

from math import prod

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.batch.for_batch import for_batch
from app.compiler.passes.cpu_functions import route_functions
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.lanes import in_lanes as lanes
from app.compiler.passes.lanes import rules as lane_rules
from app.compiler.passes.lanes import shares as lane_shares
from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx
LARGEST = 600


def numbers(draw, *shape):
    return np.random.default_rng(draw(st.integers(0, 99))).uniform(-1, 1, shape).astype(np.float32)


def axis_of(draw, x):
    return draw(st.integers(-x.rank, x.rank - 1))


def factored(draw, total):
    """A shape of 1 to 5 axes with so many elements."""
    shape = [total]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(shape) - 1))
        divisors = [n for n in range(1, shape[place] + 1) if shape[place] % n == 0]
        cut = draw(st.sampled_from(divisors))
        shape[place : place + 1] = [cut, shape[place] // cut]
    return shape


def reshape(draw, x):
    return mb.reshape(x=x, shape=factored(draw, prod(x.shape)))


def transpose(draw, x):
    return mb.transpose(x=x, perm=draw(st.permutations(range(x.rank))))


def expand(draw, x):
    return mb.expand_dims(x=x, axes=[draw(st.integers(0, x.rank))])


def squeeze(draw, x):
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    return mb.squeeze(x=x, axes=draw(st.lists(st.sampled_from(ones), min_size=1, unique=True))) if ones else x


def piece(draw, x):
    begin = [draw(st.integers(0, size - 1)) for size in x.shape]
    end = [draw(st.integers(b + 1, size)) for b, size in zip(begin, x.shape, strict=True)]
    squeezed = [draw(st.booleans()) and draw(st.booleans()) for _ in x.shape]
    if all(squeezed):
        squeezed[0] = False
    stride = [draw(st.integers(1, 2)) for _ in x.shape]
    return mb.slice_by_index(x=x, begin=begin, end=end, stride=stride, squeeze_mask=squeezed)


def sized_piece(draw, x):
    axis = draw(st.integers(0, x.rank - 1))
    begin, size = [0] * x.rank, list(x.shape)
    begin[axis] = draw(st.integers(0, x.shape[axis] - 1))
    size[axis] = draw(st.sampled_from([-1, x.shape[axis] - begin[axis]]))
    return mb.slice_by_size(x=x, begin=begin, size=size)


def with_constant(draw, x):
    keep = [draw(st.booleans()) for _ in x.shape]
    shape = [size if k else 1 for size, k in zip(x.shape, keep, strict=True)][draw(st.integers(0, x.rank - 1)) :]
    ones = [axis - len(shape) for axis in range(len(shape)) if x.shape[axis - len(shape)] == 1]
    if ones and draw(st.booleans()):
        shape[draw(st.sampled_from(ones))] = 2
    return mb.add(x=x, y=numbers(draw, *shape))


def with_itself(draw, x):
    axis = axis_of(draw, x)
    return mb.mul(x=x, y=mb.reduce_max(x=x, axes=[axis], keep_dims=True))


def of_two_orders(draw, x):
    return mb.add(x=mb.reshape(x=transpose(draw, x), shape=x.shape), y=x)


def outer(draw, x):
    flat = mb.reshape(x=x, shape=[prod(x.shape)])
    few = mb.slice_by_size(x=flat, begin=[0], size=[min(prod(x.shape), 5)])
    return mb.mul(x=mb.expand_dims(x=few, axes=[1]), y=few)


def joined(draw, x):
    axis = axis_of(draw, x)
    shape = list(x.shape)
    shape[axis] = draw(st.integers(1, 2))
    together = mb.concat(values=draw(st.permutations([x, numbers(draw, *shape), mb.sin(x=x)])), axis=axis)
    # coremltools follows the numbers of the constant part and stumbles over them in a gather.
    return mb.sin(x=together)


def stacked(draw, x):
    return mb.stack(values=[x, numbers(draw, *x.shape)], axis=draw(st.integers(0, x.rank)))


def split(draw, x):
    axis = axis_of(draw, x)
    if x.shape[axis] == 1:
        return x
    first = draw(st.integers(1, x.shape[axis] - 1))
    a, b = mb.split(x=x, split_sizes=[first, x.shape[axis] - first], axis=axis)
    return b if draw(st.booleans()) else a


def tiled(draw, x):
    return mb.tile(x=x, reps=[draw(st.sampled_from([1, 1, 2])) for _ in x.shape])


def padded(draw, x):
    return mb.pad(x=x, pad=[draw(st.integers(0, 1)) for _ in range(2 * draw(st.integers(1, x.rank)))])


def reduced(draw, x):
    axes = draw(st.lists(st.integers(0, x.rank - 1), min_size=1, unique=True))
    keep = draw(st.booleans()) or len(axes) == x.rank
    return mb.reduce_mean(x=x, axes=axes, keep_dims=keep)


def softmax(draw, x):
    return mb.softmax(x=x, axis=axis_of(draw, x))


def norm(draw, x):
    return mb.layer_norm(x=x, axes=[draw(st.integers(0, x.rank - 1))], epsilon=np.float32(0.1))


def reverse(draw, x):
    return mb.reverse(x=x, axes=[axis_of(draw, x)])


def summed(draw, x):
    return mb.cumsum(x=mb.mul(x=x, y=np.float32(0.1)), axis=draw(st.integers(0, x.rank - 1)))


def best(draw, x):
    index = mb.reduce_argmax(x=x, axis=axis_of(draw, x), keep_dims=True)
    return mb.cast(x=index, dtype="fp32")


def drawn(draw, x):
    axis = axis_of(draw, x)
    indices = np.array(draw(st.lists(st.integers(0, x.shape[axis] - 1), min_size=1, max_size=3)), np.int32)
    return mb.gather(x=x, indices=indices[0] if draw(st.booleans()) else indices, axis=axis)


def drawn_by_image(draw, x):
    index = mb.cast(x=mb.add(x=mb.tanh(x=x), y=np.float32(1)), dtype="int32")
    return mb.gather(x=numbers(draw, 3, 3), indices=index, axis=draw(st.integers(0, 1)))


def linear(draw, x):
    return mb.linear(x=x, weight=numbers(draw, draw(st.integers(1, 4)), x.shape[-1]))


def product(draw, x):
    if x.rank < 2:
        return x
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return mb.matmul(x=x, y=x, transpose_y=True)
    if kind == 1:
        return mb.matmul(x=numbers(draw, draw(st.integers(1, 3)), x.shape[-2]), y=x)
    if kind == 2:
        return mb.matmul(x=x, y=numbers(draw, *x.shape[:-2], 2, x.shape[-2]), transpose_x=True, transpose_y=True)
    return mb.matmul(x=x, y=numbers(draw, *(1,) * (x.rank - 2), x.shape[-1], 2))


def conv(draw, x):
    if x.rank != 4:
        return x
    return mb.conv(x=x, weight=numbers(draw, 2, x.shape[1], 2, 2), pad_type="same")


def pool(draw, x):
    return mb.max_pool(x=x, kernel_sizes=[2] * (x.rank - 2), pad_type="same") if x.rank in (3, 4) else x


STEPS = [reshape, reshape, transpose, transpose, expand, squeeze, piece, sized_piece, with_constant, with_itself]
STEPS += [of_two_orders, outer, joined, stacked, split, tiled, padded, reduced, softmax, norm, reverse, summed, best]
STEPS += [drawn, drawn_by_image, linear, product, conv, pool]


def in_lanes(program):
    """As the CPU runs it on three threads, small as everything here is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_shares, "SMALLEST", 1)
        for module in (lanes, lane_rules):
            patch.setattr(module, "LARGEST", 20)
        return lanes.in_lanes(route_convolutions(route_functions(program)), 3)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_program(program_of, data):
    batch = data.draw(st.integers(2, 3))
    shape = data.draw(st.sampled_from([(1, 3, 4, 2), (1, 6, 4), (1, 12), (2, 3, 4), (1, 2, 1, 3, 2)]))

    def body(x):
        for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=7)):
            y = step(data.draw, x)
            x = y if 0 < y.rank <= 5 and prod(y.shape) <= LARGEST else x
        return mb.tanh(x=x)

    images = np.random.default_rng(0).uniform(-1, 1, (batch, *shape)).astype(np.float32)
    program = program_of(body, images[0])
    single = build(program)
    wanted = np.concatenate([np.array(single(mx.array(image))[0]) for image in images])
    rest = data.draw(st.sampled_from([lambda program: program, in_lanes, route_convolutions, channels_last]))
    (together,) = build(rest(for_batch(batch)(program)))(mx.array(np.concatenate(images)))
    np.testing.assert_allclose(np.array(together), wanted, rtol=1e-4, atol=1e-4)
