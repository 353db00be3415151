"""N images at once give what N single runs give, or the program says that it cannot."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.passes.batch import free_batch
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def attention(x):
    """Heads split and joined as transformers do it: batch stays first through four reshapes."""
    tokens = mb.transpose(x=mb.reshape(x=x, shape=[1, 4, 20]), perm=[0, 2, 1])
    heads = mb.transpose(x=mb.reshape(x=tokens, shape=[1, 20, 2, 2]), perm=[0, 2, 1, 3])
    scores = mb.softmax(x=mb.matmul(x=heads, y=heads, transpose_y=True), axis=-1)
    mixed = mb.transpose(x=mb.matmul(x=scores, y=heads), perm=[0, 2, 1, 3])
    return mb.linear(x=mb.reshape(x=mixed, shape=[1, 20, 4]), weight=values(3, 4))


def classifier(x):
    y = mb.relu(x=mb.conv(x=x, weight=values(6, 4, 3, 3), pad_type="same", strides=[2, 2]))
    y = mb.add(x=y, y=mb.conv(x=y, weight=values(6, 1, 3, 3), groups=6, pad_type="same"))
    y = mb.reshape(x=mb.reduce_mean(x=y, axes=[2, 3], keep_dims=True), shape=[1, -1])
    return mb.softmax(x=mb.linear(x=y, weight=values(5, 6)), axis=1)


def windows(x):
    """Batch and space change places in one reshape: the first axis holds 4 windows an image."""
    parts = mb.transpose(x=mb.reshape(x=x, shape=[1, 4, 2, 2, 5]), perm=[0, 2, 1, 3, 4])
    flat = mb.reshape(x=parts, shape=[2, 4, 10])
    return mb.reshape(x=mb.softmax(x=flat, axis=-1), shape=[1, 80])


def slice_of(x):
    return mb.slice_by_index(x=x, begin=[0, 1, 0, 0], end=[1, 3, 4, 5])


def piece_of(x):
    return mb.slice_by_size(x=x, begin=[0, 0, 0, 0], size=[1, 2, -1, 5])


def pool(x):
    return mb.avg_pool(x=x, kernel_sizes=[2, 2], pad_type="valid")


FREE = {
    "classifier": classifier,
    "attention": attention,
    "windows": windows,
    "squeeze the batch away": lambda x: mb.squeeze(x=mb.reduce_max(x=x, axes=[2, 3], keep_dims=True), axes=[0, 2, 3]),
    "an axis in front": lambda x: mb.reshape(x=mb.expand_dims(x=x, axes=[0]), shape=[1, -1]),
    "slices and joins": lambda x: mb.concat(values=(slice_of(x), piece_of(x)), axis=1),
    "pads and tiles": lambda x: mb.tile(x=mb.pad(x=x, pad=[0, 0, 1, 0, 2, 1]), reps=[1, 1, 2, 1]),
    "pools and norms": lambda x: mb.layer_norm(x=pool(x), axes=[1, 2, 3]),
    "with a constant for each place": lambda x: mb.mul(x=mb.add(x=x, y=values(1, 4, 4, 5)), y=values(4, 5)),
    "split": lambda x: mb.split(x=x, num_splits=2, axis=1)[1],
}
MIXED = {
    "a sum over all": lambda x: mb.add(x=x, y=mb.reduce_sum(x=x, axes=[0, 1, 2, 3], keep_dims=True)),
    "softmax over the batch": lambda x: mb.softmax(x=x, axis=0),
    "batch moved back": lambda x: mb.softmax(x=mb.transpose(x=x, perm=[1, 0, 2, 3]), axis=1),
    "a constant in a row with images": lambda x: mb.concat(values=(x, values(1, 1, 4, 5)), axis=1),
    "a border around the batch": lambda x: mb.pad(x=x, pad=[0, 1, 0, 0, 0, 0, 0, 0]),
    "norm over everything": lambda x: mb.layer_norm(x=x, axes=[0, 1, 2, 3]),
    "the batch times itself": lambda x: mb.matmul(x=mb.reshape(x=x, shape=[4, 20]), y=mb.reshape(x=x, shape=[20, 4])),
    "a constant for each channel beside the batch": lambda x: mb.mul(x=mb.squeeze(x=x, axes=[0]), y=values(4, 1, 1)),
    "reversed": lambda x: mb.reverse(x=x, axes=[0, 1]),
}


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("rest", [route_convolutions, channels_last])
def test_many_give_what_single_runs_give(program_of, name, rest):
    images = values(3, 4, 4, 5)
    program = free_batch(program_of(FREE[name], images[:1]))
    assert program.batch_free
    function = build(rest(program))
    (together,) = function(mx.array(images))
    singles = [function(mx.array(images[i : i + 1]))[0] for i in range(3)]
    np.testing.assert_allclose(np.array(together), np.concatenate(singles), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MIXED)
def test_a_program_that_mixes_images_is_left_alone(program_of, name):
    program = program_of(MIXED[name], values(1, 4, 4, 5))
    after = free_batch(program)
    assert after is program
    assert not after.batch_free
