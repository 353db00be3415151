"""Each way to move, pick and count numbers, in a program for several images, with channels last, and as halves."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.passes.batch.for_batch import for_batch
from app.compiler.passes.constants import fold_constants
from app.compiler.passes.layout import channels_last
from app.compiler.passes.precision import compute_in

pytestmark = pytest.mark.mlx

IMAGES = 3


def whole(*shape, seed=0):
    """0, 1, 2, … in any order."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(np.int32)


def values(*shape):
    return whole(*shape).astype(np.float32) / 8


def spatial(x):
    """Eighths, which are halves themselves, as a layer gives them that has channels."""
    eighths = mb.mul(x=mb.cast(x=x, dtype="fp32"), y=np.float32(1 / 8))
    return mb.max_pool(x=eighths, kernel_sizes=[1, 1], pad_type="valid")


def rows(x):
    return mb.reshape(x=x, shape=[x.shape[1], -1])


STEPS = {
    "argsort": lambda x: mb.cast(x=mb.argsort(x=x, axis=2), dtype="fp32"),
    "band": lambda x: mb.band_part(x=x, lower=1, upper=0),
    "batch to space": lambda x: mb.batch_to_space(
        x=mb.relu(x=mb.space_to_batch(x=x, block_shape=[2, 1], paddings=[[0, 0], [1, 0]])),
        block_shape=[2, 1], crops=[[0, 0], [1, 0]],
    ),
    "cumsum": lambda x: mb.cumsum(x=x, axis=0, exclusive=True),
    "einsum": lambda x: mb.einsum(values=(x, mb.transpose(x=x, perm=[0, 3, 2, 1])), equation="nchw,nwhu->nchu"),
    "fill": lambda x: mb.add(x=x, y=mb.fill_like(ref_tensor=x, value=np.float32(0.5))),
    "flatten": lambda x: mb.flatten2d(x=x, axis=2),
    "gather": lambda x: mb.gather(x=x, indices=np.array([[2, 0]], np.int32), axis=-2),
    "gather along": lambda x: mb.gather_along_axis(x=x, indices=mb.argsort(x=x, axis=1), axis=1),
    "gather nd": lambda x: mb.gather_nd(x=x, indices=np.array([[0, 1], [0, 0]], np.int32)),
    "gather nd of rows": lambda x: mb.gather_nd(x=x, indices=np.array([[[1], [0]]], np.int32), batch_dims=1),
    "gru": lambda x: mb.gru(
        x=mb.reshape(x=x, shape=[6, 4, 5]),
        initial_h=np.zeros((4, 2), np.float32), weight_ih=values(6, 5), weight_hh=values(6, 2), output_sequence=True,
    )[0],
    "one hot": lambda x: mb.one_hot(
        indices=mb.reduce_argmax(x=x, axis=1), one_hot_vector_size=4, axis=1,
        on_value=np.float32(1), off_value=np.float32(0),
    ),
    "reverse sequence": lambda x: mb.reverse_sequence(
        x=x, lengths=np.array([2, 4, 0, 1], np.int32), seq_axis=3, batch_axis=1
    ),
    "scatter": lambda x: mb.scatter(
        data=x, indices=np.array([1, 0], np.int32), updates=values(1, 4, 2, 5), axis=2, mode="max"
    ),
    "scatter along": lambda x: mb.scatter_along_axis(
        data=x, indices=np.zeros((1, 4, 1, 5), np.int32), updates=values(1, 4, 1, 5), axis=2
    ),
    "scatter nd": lambda x: mb.scatter_nd(
        data=np.zeros((4, 30), np.float32), indices=np.array([[2], [0]], np.int32),
        updates=mb.slice_by_size(x=rows(x), begin=[0, 0], size=[2, 30]),
    ),
    "attention": lambda x: mb.scaled_dot_product_attention(
        query=x, key=x, value=x, attn_mask=np.tril(np.ones((6, 6), bool))
    ),
    "shape": lambda x: mb.mul(x=x, y=mb.cast(x=mb.reduce_max(x=mb.shape(x=x), keep_dims=False), dtype="fp32")),
    "slice update": lambda x: mb.slice_update(
        x=x, update=values(1, 4, 3, 5), begin=[0, 0, 5, 0], end=[1, 4, 0, 5], stride=[1, 1, -2, 1],
        end_mask=[True, True, True, True],
    ),
    "sliding windows": lambda x: mb.sliding_windows(x=x, axis=2, size=3, stride=2),
    "suppression": lambda x: mb.non_maximum_suppression(
        boxes=mb.reshape(x=mb.slice_by_size(x=x, begin=[0] * 4, size=[1, 4, 1, 5]), shape=[1, 4, 5]),
        scores=values(1, 2, 5), iou_threshold=np.float32(0.1), max_boxes=3,
    )[0],
    "topk": lambda x: mb.topk(x=x, k=2, axis=2)[0],
}  # fmt: skip


@pytest.fixture(scope="module")
def programs(program_of):
    x = whole(1, 4, 6, 5)
    return {
        name: program_of(lambda x, step=step: step(spatial(x)), x, opset=ct.target.iOS18)
        for name, step in STEPS.items()
    }


@pytest.mark.parametrize("name", STEPS)
def test_several_images_give_what_each_gives(programs, run_program, name):
    program = fold_constants(programs[name])
    images = [whole(1, 4, 6, 5, seed=seed) for seed in range(IMAGES)]
    single = [run_program(program, x)[0] for x in images]
    together = run_program(for_batch(IMAGES)(program), np.concatenate(images))[0]
    np.testing.assert_allclose(together, np.concatenate(single), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", STEPS)
def test_channels_last_changes_no_number(programs, run_program, name):
    x = whole(1, 4, 6, 5, seed=1)
    (wanted,), (given,) = run_program(programs[name], x), run_program(channels_last(programs[name]), x)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", STEPS)
def test_halves_round_and_no_more(programs, run_program, name):
    x = whole(1, 4, 6, 5, seed=1)
    (wanted,), (given,) = run_program(programs[name], x), run_program(compute_in("fp16")(programs[name]), x)
    assert given.dtype == wanted.dtype
    np.testing.assert_allclose(given, wanted, rtol=5e-3, atol=5e-3 * np.abs(wanted).max())
