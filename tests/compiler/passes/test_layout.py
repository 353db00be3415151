"""Channels last changes no number, and transposes stand only where a value leaves the layout."""

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.build import build
from app.compiler.passes.layout import channels_last
from app.compiler.reading.legalise import translate

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def conv(x, outs=4):
    return mb.conv(x=x, weight=values(outs, x.shape[1], 3, 3), bias=values(outs), pad_type="same")


STEPS = {
    "conv": conv,
    "depthwise": lambda x: mb.conv(x=x, weight=values(x.shape[1], 1, 3, 3), groups=x.shape[1], pad_type="same"),
    "relu": lambda x: mb.relu(x=x),
    "residual": lambda x: mb.add(x=x, y=conv(x, x.shape[1])),
    "a constant a channel": lambda x: mb.mul(x=x, y=values(x.shape[1], 1, 1)),
    "a constant a column": lambda x: mb.add(x=x, y=values(x.shape[3])),
    "constant first": lambda x: mb.sub(x=values(x.shape[1], 1, 1), y=x),
    "squeeze and excite": lambda x: mb.mul(x=x, y=mb.sigmoid(x=mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True))),
    "a gate that lost its axes": lambda x: mb.mul(
        x=x, y=mb.reshape(x=mb.reduce_max(x=x, axes=[-1, -2], keep_dims=False), shape=[1, -1, 1, 1])
    ),
    "mean over channels": lambda x: mb.add(x=x, y=mb.reduce_mean(x=x, axes=[1], keep_dims=True)),
    "column means, axis dropped": lambda x: mb.add(
        x=x, y=mb.expand_dims(x=mb.reduce_mean(x=x, axes=[2], keep_dims=False), axes=[2])
    ),
    "softmax": lambda x: mb.softmax(x=x, axis=1),
    "concat": lambda x: mb.concat(values=(x, conv(x, 2)), axis=1),
    "split": lambda x: mb.add(x=mb.split(x=x, split_sizes=[1, x.shape[1] - 1], axis=1)[0], y=x),
    "pad": lambda x: mb.pad(x=x, pad=[1, 0, 0, 2]),
    "pad channels": lambda x: mb.pad(x=x, pad=[0, 0, 1, 0, 0, 0, 0, 0]),
    "pool": lambda x: mb.max_pool(x=x, kernel_sizes=[2, 2], pad_type="same"),
    "batch norm": lambda x: mb.batch_norm(x=x, mean=values(x.shape[1]), variance=np.abs(values(x.shape[1])) + 1),
    "layer norm over channels": lambda x: mb.transpose(
        x=mb.layer_norm(x=mb.transpose(x=x, perm=[0, 2, 3, 1]), axes=[-1]), perm=[0, 3, 1, 2]
    ),
    "tokens and back": lambda x: mb.reshape(
        x=mb.softmax(x=mb.reshape(x=x, shape=[1, x.shape[1], -1]), axis=-1), shape=x.shape
    ),
    "tokens in rows and back": lambda x: mb.reshape(
        x=mb.transpose(
            x=mb.layer_norm(x=mb.transpose(x=mb.reshape(x=x, shape=[1, x.shape[1], -1]), perm=[0, 2, 1]), axes=[-1]),
            perm=[0, 2, 1],
        ),
        shape=x.shape,
    ),
    "norm over channels first": lambda x: mb.layer_norm(x=x, axes=[1], gamma=values(x.shape[1])),
    "norm over space": lambda x: mb.layer_norm(x=x, axes=[2, 3], gamma=values(*x.shape[2:])),
    "norm over all": lambda x: mb.layer_norm(x=x, axes=[1, 2, 3], gamma=values(*x.shape[1:])),
    "norm over all, bare": lambda x: mb.layer_norm(x=x, axes=[1, 2, 3]),
    "one pixel as a vector": lambda x: mb.mul(
        x=x,
        y=mb.expand_dims(x=mb.squeeze(x=mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True), axes=[2, 3]), axes=[2, 3]),
    ),
    "one axis lost": lambda x: mb.mul(
        x=x, y=mb.expand_dims(x=mb.squeeze(x=mb.reduce_mean(x=x, axes=[2], keep_dims=True), axes=[2]), axes=[2])
    ),
    "a part of the rows": lambda x: mb.slice_by_index(x=x, begin=[0, 0, 1, 0], end=[1, *x.shape[1:]]),
    "every other column, backwards": lambda x: mb.slice_by_index(
        x=x, begin=[0] * 4, end=[0] * 4, stride=[1, 1, 1, -2], begin_mask=[True] * 4, end_mask=[True] * 4
    ),
    "one row, its axis dropped": lambda x: mb.expand_dims(
        x=mb.slice_by_index(x=x, begin=[0] * 4, end=[1, *x.shape[1:]], squeeze_mask=[False, False, True, False]),
        axes=[2],
    ),
    "some channels": lambda x: mb.slice_by_size(x=x, begin=[0, 1, 0, 0], size=[1, x.shape[1] - 1, -1, -1]),
    "tiled": lambda x: mb.tile(x=x, reps=[1, 2, 1, 3]),
    "turned round": lambda x: mb.reverse(x=x, axes=[1, -1]),
    "running sum": lambda x: mb.cumsum(x=x, axis=1),
    "sorted": lambda x: mb.topk(x=x, k=2, axis=1)[0],
    "larger": lambda x: mb.upsample_bilinear(x=x, scale_factor_height=2.0, scale_factor_width=1.5, align_corners=False),
    "smaller": lambda x: mb.resize_bilinear(x=x, target_size_height=3, target_size_width=2),
    "pixels twice": lambda x: mb.upsample_nearest_neighbor(x=x, scale_factor_height=2, scale_factor_width=2),
    "resized with its channels": lambda x: mb.resize(x=x, shape=[4, 5, 0], resized_dims=np.uint32(3)),
    "cropped": lambda x: mb.crop(x=x, crop_height=[1, 0], crop_width=[0, 1]),
    "looked up at what it computes": lambda x: mb.resample(
        x=x,
        coordinates=mb.transpose(x=mb.tanh(x=conv(x, 2)), perm=[0, 2, 3, 1]),
        sampling_mode="bilinear",
        padding_mode="border",
        padding_value=np.float32(0),
        coordinates_mode="normalized_minus_one_to_one",
        align_corners=False,
    ),
    "a box cut out": lambda x: mb.crop_resize(
        x=x,
        boxes=np.array([[0, 0, 0.5, 0.75]], np.float32),
        target_height=3,
        target_width=4,
        normalized_coordinates=True,
    ),
    "a kernel that it computes": lambda x: mb.add(
        x=x, y=mb.conv(x=x, weight=mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True))
    ),
    "local responses": lambda x: mb.local_response_norm(x=x, size=3),
    "length one": lambda x: mb.l2_norm(x=x),
    "whole numbers": lambda x: mb.dequantize(
        input=mb.quantize(input=x, scale=np.float32(1), output_dtype="int8"), scale=values(x.shape[1]), axis=1
    ),
    "spread": lambda x: mb.conv_transpose(x=x, weight=values(x.shape[1], 3, 2, 2), strides=[2, 2]),
    "compare and choose": lambda x: mb.select(cond=mb.greater(x=x, y=np.float32(0)), a=x, b=conv(x, x.shape[1])),
    "height and width change places": lambda x: mb.transpose(x=x, perm=[0, 1, 3, 2]),
}


@given(names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6))
def test_any_chain_gives_the_same_numbers(program_of, names):
    def body(x):
        for name in ("conv", *names):
            x = STEPS[name](x)
        return x

    x = values(1, 3, 6, 5)
    program = program_of(body, x)
    (before,), (after,) = build(program)(mx.array(x)), build(channels_last(program))(mx.array(x))
    scale = max(1.0, np.abs(np.array(before)).max())
    np.testing.assert_allclose(np.array(after), np.array(before), rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.parametrize("name", STEPS)
def test_each_step_gives_the_same_numbers(program_of, name):
    x = values(1, 3, 6, 5)
    program = program_of(lambda x: STEPS[name](conv(x)), x)
    (before,), (after,) = build(program)(mx.array(x)), build(channels_last(program))(mx.array(x))
    np.testing.assert_allclose(np.array(after), np.array(before), rtol=1e-4, atol=1e-4)


def test_a_network_is_turned_once_at_its_start_and_once_at_its_end(program_of):
    def body(x):
        for name in (
            "conv",
            "relu",
            "residual",
            "squeeze and excite",
            "depthwise",
            "concat",
            "pad",
            "pool",
            "a constant a channel",
            "a part of the rows",
            "some channels",
            "tiled",
            "turned round",
        ):
            x = STEPS[name](x)
        return x

    program = channels_last(program_of(body, values(1, 3, 6, 5)))
    kinds = [operation.kind for operation in program.operations]
    assert kinds.count("transpose") == 2
    assert kinds[0] == kinds[-1] == "transpose"


def test_a_transpose_to_channels_last_in_the_file_vanishes(program_of):
    program = channels_last(program_of(lambda x: mb.transpose(x=conv(x), perm=[0, 2, 3, 1]), values(1, 3, 6, 5)))
    assert [operation.kind for operation in program.operations] == ["transpose", "conv"]


def test_a_program_without_space_is_not_touched(program_of):
    program = program_of(lambda x: mb.softmax(x=mb.linear(x=x, weight=values(3, 4)), axis=-1), values(1, 7, 4))
    assert [o.kind for o in channels_last(program).operations] == [o.kind for o in program.operations]


def test_a_network_that_keeps_channels_last_itself_needs_no_transpose(program_of):
    def block(x):
        y = mb.transpose(x=conv(mb.transpose(x=x, perm=[0, 3, 1, 2])), perm=[0, 2, 3, 1])
        return mb.add(x=x, y=mb.linear(x=mb.layer_norm(x=y, axes=[-1]), weight=values(4, 4)))

    x = values(1, 6, 5, 4)
    program = program_of(lambda x: block(block(x)), x)
    after = channels_last(program)
    assert "transpose" not in [operation.kind for operation in after.operations]
    (wanted,), (given_,) = build(program)(mx.array(x)), build(after)(mx.array(x))
    np.testing.assert_allclose(np.array(given_), np.array(wanted), rtol=1e-4, atol=1e-4)


def test_patches_become_tokens_without_a_transpose(program_of):
    def body(x):
        patches = conv(x)
        return mb.transpose(x=mb.reshape(x=patches, shape=[1, 4, 30]), perm=[0, 2, 1])

    program = channels_last(program_of(body, values(1, 3, 6, 5)))
    assert [operation.kind for operation in program.operations] == ["transpose", "conv", "reshape"]


def test_the_images_of_a_crop_are_no_channels(program_of):
    roi = np.array([[0, 0, 2, 3], [1, 1, 2, 2]], np.float32).reshape(2, 1, 4, 1, 1)

    @mb.program(input_specs=[mb.TensorSpec(shape=(2, 3, 6, 5))], opset_version=ct.target.iOS16)
    def program(x):
        return mb.crop_resize(x=conv(x), roi=roi, target_height=3, target_width=2)

    before = translate(program.functions["main"])
    x = mx.array(values(2, 3, 6, 5))
    (first,), (turned,) = build(before)(x), build(channels_last(before))(x)
    assert first.shape == (2, 2, 4, 3, 2)
    np.testing.assert_allclose(np.array(first), np.array(turned), rtol=1e-4, atol=1e-4)
