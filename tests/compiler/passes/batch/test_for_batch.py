"""N images at once give what N single runs give."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.passes.batch.for_batch import for_batch
from app.compiler.passes.batch.rules import without_rule
from app.compiler.passes.cpu_routes import route_convolutions
from app.compiler.passes.layout import channels_last
from app.compiler.program import Operation, Program, Value

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def dense(x, size, seed=0):
    return mb.linear(x=x, weight=values(size, x.shape[-1], seed=seed) / 4, bias=values(size, seed=seed + 1))


def classifier(x):
    y = mb.relu(x=mb.conv(x=x, weight=values(6, 4, 3, 3), pad_type="same", strides=[2, 2]))
    y = mb.add(x=y, y=mb.conv(x=y, weight=values(6, 1, 3, 3), groups=6, pad_type="same"))
    y = mb.reshape(x=mb.reduce_mean(x=y, axes=[2, 3], keep_dims=True), shape=[1, -1])
    return mb.softmax(x=mb.linear(x=y, weight=values(5, 6)), axis=1)


def vision_transformer(x):
    """A class token and places, then three in one: the batch goes from axis 0 to 1 and back."""
    tokens = mb.transpose(x=mb.reshape(x=x, shape=[1, 4, 20]), perm=[0, 2, 1])
    tokens = mb.concat(values=(values(1, 1, 4), tokens), axis=1)
    tokens = mb.add(x=tokens, y=values(1, 21, 4))
    three = mb.reshape(x=dense(mb.layer_norm(x=tokens, axes=[-1]), 12), shape=[1, 21, 3, 2, 2])
    three = mb.transpose(x=three, perm=[2, 0, 3, 1, 4])
    q, k, v = (
        mb.slice_by_index(
            x=three,
            begin=[i, 0, 0, 0, 0],
            end=[i + 1, 1, 2, 21, 2],
            squeeze_mask=[True, False, False, False, False],
        )
        for i in range(3)
    )
    scores = mb.softmax(x=mb.matmul(x=mb.mul(x=q, y=np.float32(0.7)), y=k, transpose_y=True), axis=-1)
    mixed = mb.transpose(x=mb.matmul(x=scores, y=v), perm=[0, 2, 1, 3])
    tokens = mb.add(x=tokens, y=dense(mb.reshape(x=mixed, shape=[1, 21, 4]), 4))
    first = mb.slice_by_index(
        x=tokens, begin=[0, 0, 0], end=[1, 1, 4], end_mask=[True, False, True], squeeze_mask=[False, True, False]
    )
    return dense(first, 5)


def windows(x):
    """2 × 2 windows stand on the first axis; their mask is one a window; then the image is put together again."""
    y = mb.transpose(x=mb.pad(x=x, pad=[0, 0, 0, 0, 0, 0, 0, 1]), perm=[0, 2, 3, 1])
    y = mb.reshape(x=y, shape=[1, 2, 2, 3, 2, 4])
    y = mb.reshape(x=mb.transpose(x=y, perm=[0, 1, 3, 2, 4, 5]), shape=[-1, 4, 4])
    heads = mb.transpose(x=mb.reshape(x=dense(y, 4), shape=[6, 4, 2, 2]), perm=[0, 2, 1, 3])
    scores = mb.add(x=mb.matmul(x=heads, y=heads, transpose_y=True), y=values(1, 2, 4, 4))
    masked = mb.add(x=mb.reshape(x=scores, shape=[1, 6, 2, 4, 4]), y=values(1, 6, 1, 4, 4))
    scores = mb.softmax(x=mb.reshape(x=masked, shape=[-1, 2, 4, 4]), axis=-1)
    mixed = mb.reshape(x=mb.transpose(x=mb.matmul(x=scores, y=heads), perm=[0, 2, 1, 3]), shape=[6, 4, 4])
    y = mb.transpose(x=mb.reshape(x=mixed, shape=[1, 2, 3, 2, 2, 4]), perm=[0, 1, 3, 2, 4, 5])
    y = mb.reshape(x=y, shape=[1, 4, 6, 4])
    return mb.slice_by_index(x=y, begin=[0, 0, 0, 0], end=[1, 4, 5, 4])


def a_mask_beside_the_windows(x):
    """The constant has as many blocks as an image has windows, on the axis where N images have N times as many."""
    return mb.add(x=mb.reshape(x=x, shape=[4, 5, 4]), y=values(4, 1, 4))


def tokens_first(x):
    """Tokens × batch × channels, heads beside the batch, tokens times batch as rows of one matrix."""
    y = mb.transpose(x=mb.reshape(x=x, shape=[1, 4, 20]), perm=[2, 0, 1])
    heads = mb.transpose(x=mb.reshape(x=dense(y, 4), shape=[20, 2, 2]), perm=[1, 0, 2])
    scores = mb.softmax(x=mb.matmul(x=heads, y=heads, transpose_y=True), axis=-1)
    rows = mb.reshape(x=mb.transpose(x=mb.matmul(x=scores, y=heads), perm=[1, 0, 2]), shape=[20, 4])
    y = mb.add(x=y, y=mb.reshape(x=dense(rows, 4), shape=[20, 1, 4]))
    return mb.reduce_mean(x=y, axes=[0], keep_dims=False)


def folded_patches(x):
    """As MobileViT unfolds an image: rows of patches share an axis with the batch, then pixels do."""
    y = mb.reshape(x=mb.slice_by_size(x=x, begin=[0, 0, 0, 0], size=[1, 4, 4, 4]), shape=[8, 2, 2, 2])
    y = mb.reshape(x=mb.transpose(x=y, perm=[0, 2, 1, 3]), shape=[1, 4, 4, 4])
    y = mb.reshape(x=mb.transpose(x=y, perm=[0, 3, 2, 1]), shape=[4, 4, 4])
    y = mb.transpose(x=mb.reshape(x=dense(y, 4), shape=[1, 4, 4, 4]), perm=[0, 3, 2, 1])
    y = mb.transpose(x=mb.reshape(x=y, shape=[8, 2, 2, 2]), perm=[0, 2, 1, 3])
    return mb.reshape(x=y, shape=[1, 4, 4, 4])


def mixer(x):
    """Patches mixed by a matrix from the left."""
    y = mb.reshape(x=x, shape=[1, 4, 20])
    y = mb.add(x=y, y=mb.transpose(x=dense(mb.transpose(x=y, perm=[0, 2, 1]), 4), perm=[0, 2, 1]))
    return mb.matmul(x=values(6, 4), y=mb.gelu(x=y))


def squeezed_and_scaled(x):
    """Levels of a network that ends without a batch axis."""
    y = mb.squeeze(x=mb.reduce_max(x=x, axes=[2, 3], keep_dims=True), axes=[0, 2, 3])
    return mb.mul(x=y, y=values(4))


def split_channels(x):
    a, b = mb.split(x=x, num_splits=2, axis=1)
    return mb.concat(values=(mb.mul(x=a, y=mb.sigmoid(x=b)), values(1, 1, 4, 5), b), axis=1)


def pieces(x):
    one = mb.slice_by_index(x=x, begin=[0, 1, 0, 0], end=[1, 3, 4, 5], stride=[2, 1, 1, 2])
    return mb.concat(values=(one, mb.slice_by_size(x=x, begin=[0, 0, 0, 1], size=[1, 2, -1, 3])), axis=1)


def looked_up(x):
    rows = mb.gather(x=mb.reshape(x=x, shape=[4, 20]), indices=np.array([2, 0, 2], np.int32), axis=0)
    return mb.add(x=rows, y=mb.gather(x=rows, indices=np.int32(1), axis=0))


def looked_up_by_the_image(x):
    best = mb.reduce_argmax(x=mb.reshape(x=x, shape=[1, 20, 4]), axis=2)
    rows = mb.gather(x=values(4, 3), indices=best, axis=0)
    return mb.add(x=rows, y=mb.expand_dims(x=mb.cast(x=best, dtype="fp32"), axes=[2]))


def rows_read_in_order(x):
    """A recurrent layer over rows, from a state that is the same for all images."""
    steps = mb.reshape(x=mb.transpose(x=x, perm=[2, 0, 1, 3]), shape=[4, 1, 20])
    weights = {"weight_ih": values(12, 20), "weight_hh": values(12, 3), "bias": values(12)}
    y, h, _ = mb.lstm(
        x=steps, initial_h=values(1, 3), initial_c=np.zeros((1, 3), np.float32), output_sequence=True, **weights
    )
    return mb.add(x=y, y=mb.expand_dims(x=h, axes=[0]))


def boxes_that_overlap(x):
    """Rows of the image as boxes, sizes positive, kept or dropped by their scores."""
    rows = mb.sigmoid(x=mb.reshape(x=x, shape=[1, 8, 10]))
    boxes = mb.slice_by_index(x=rows, begin=[0, 0, 0], end=[1, 4, 10])
    scores = mb.slice_by_index(x=rows, begin=[0, 4, 0], end=[1, 7, 10])
    kept = mb.non_maximum_suppression(boxes=boxes, scores=scores, iou_threshold=np.float32(0.3), max_boxes=5)
    return mb.concat(values=kept[:2], axis=1)


def summed(x):
    return mb.add(x=x, y=mb.reduce_sum(x=x, axes=[0, 1, 2, 3], keep_dims=True))


PROGRAMS = {
    "classifier": classifier,
    "vision transformer": vision_transformer,
    "windows": windows,
    "a mask beside the windows": a_mask_beside_the_windows,
    "tokens first": tokens_first,
    "folded patches": folded_patches,
    "mixer": mixer,
    "squeeze the batch away": squeezed_and_scaled,
    "split": split_channels,
    "slices and joins": pieces,
    "gather": looked_up,
    "gather by the image": looked_up_by_the_image,
    "rows read in order": rows_read_in_order,
    "boxes that overlap": boxes_that_overlap,
    "a sum over all": summed,
    "one number": lambda x: mb.reduce_mean(x=x, axes=[0, 1, 2, 3], keep_dims=False),
    "an axis in front": lambda x: mb.reshape(x=mb.expand_dims(x=x, axes=[0]), shape=[1, -1]),
    "stack": lambda x: mb.stack(values=(x, values(1, 4, 4, 5), mb.exp(x=x)), axis=0),
    "a row of single numbers": lambda x: mb.concat(
        values=[mb.reduce_sum(x=x, keep_dims=False), mb.reduce_max(x=x, keep_dims=False)], axis=0
    ),
    "pads and tiles": lambda x: mb.tile(x=mb.pad(x=x, pad=[0, 0, 1, 0, 2, 1]), reps=[1, 1, 2, 1]),
    "tiles of the whole": lambda x: mb.tile(x=x, reps=[3, 1, 1, 2]),
    "norm": lambda x: mb.layer_norm(x=mb.avg_pool(x=x, kernel_sizes=[2, 2], pad_type="valid"), axes=[1, 2, 3]),
    "a constant for each place": lambda x: mb.mul(x=mb.add(x=x, y=values(1, 4, 4, 5)), y=values(4, 5)),
    "softmax over the batch": lambda x: mb.softmax(x=x, axis=0),
    "batch moved back": lambda x: mb.softmax(x=mb.transpose(x=x, perm=[1, 0, 2, 3]), axis=1),
    "constants beside the batch": lambda x: mb.concat(values=(x, values(2, 4, 4, 5)), axis=0),
    "a border around the batch": lambda x: mb.pad(x=x, pad=[0, 1, 0, 0, 0, 0, 0, 0]),
    "norm over everything": lambda x: mb.layer_norm(x=x, axes=[0, 1, 2, 3]),
    "the image times itself": lambda x: mb.matmul(x=mb.reshape(x=x, shape=[4, 20]), y=mb.reshape(x=x, shape=[20, 4])),
    "a constant for each channel beside the batch": lambda x: mb.mul(x=mb.squeeze(x=x, axes=[0]), y=values(4, 1, 1)),
    "many for one": lambda x: mb.add(x=x, y=values(3, 1, 1, 5)),
    "reversed": lambda x: mb.reverse(x=x, axes=[0, 1]),
    "the same for all": lambda x: mb.add(x=mb.mul(x=x, y=np.float32(0)), y=values(1, 4, 4, 5)),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("rest", [route_convolutions, channels_last])
def test_many_give_what_single_runs_give(program_of, name, rest):
    images = values(3, 4, 4, 5)
    program = program_of(PROGRAMS[name], images[:1])
    (together,) = build(rest(for_batch(3)(program)))(mx.array(images))
    single = build(rest(program))
    singles = [np.atleast_1d(np.array(single(mx.array(images[i : i + 1]))[0])) for i in range(3)]
    np.testing.assert_allclose(np.array(together), np.concatenate(singles), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["classifier", "vision transformer", "windows", "tokens first", "folded patches", "mixer"]
)
def test_what_networks_do_moves_no_number_that_one_image_would_not_move(program_of, name):
    program = program_of(PROGRAMS[name], values(1, 4, 4, 5))
    assert kinds(for_batch(3)(program), "transpose") == kinds(program, "transpose")


@pytest.mark.parametrize("kind", ["attention", "scaled_dot_product_attention"])
@pytest.mark.parametrize("seat", ["first", "moved away"])
def test_a_query_that_is_the_same_for_all_images(kind, seat):
    """The pooling head of SigLIP: query, key and value do not broadcast."""
    x, turned, y = Value("x", (1, 2, 5, 4), "fp32"), Value("t", (2, 1, 5, 4), "fp32"), Value("y", (1, 2, 3, 4), "fp32")
    read, query, steps = x, values(1, 2, 3, 4), []
    if seat == "moved away":
        steps = [Operation("transpose", {"x": x, "perm": np.array([1, 0, 2, 3])}, (turned,))]
        read, query, y = turned, values(2, 1, 3, 4), Value("y", (2, 1, 3, 4), "fp32")
    attention = Operation(kind, {"query": query, "key": read, "value": read}, (y,))
    program = Program((x,), (*steps, attention), (("y", y),))
    images = values(3, 2, 5, 4)
    single = build(program)
    wanted = np.concatenate([np.array(single(mx.array(images[i : i + 1]))[0]) for i in range(3)])
    (together,) = build(for_batch(3)(program))(mx.array(images))
    np.testing.assert_allclose(np.array(together), wanted, rtol=1e-5, atol=1e-5)


def test_several_inputs_and_outputs(program_of):
    a, b = values(3, 2, 4), values(6, 4, seed=1)
    program = program_of(lambda x, y: (mb.matmul(x=x, y=y, transpose_y=True), mb.exp(x=y)), a[:1], b[:2])
    single = build(program)
    singles = [single(mx.array(a[i : i + 1]), mx.array(b[2 * i : 2 * i + 2])) for i in range(3)]
    together = build(for_batch(3)(program))(mx.array(a), mx.array(b))
    for one, parts in zip(together, zip(*singles, strict=True), strict=True):
        np.testing.assert_allclose(np.array(one), np.concatenate([np.array(p) for p in parts]), rtol=1e-5)


def kinds(program, kind):
    return sum(operation.kind == kind for operation in program.operations)


def test_one_image_leaves_the_program_alone(program_of):
    program = program_of(PROGRAMS["windows"], values(1, 4, 4, 5))
    assert for_batch(1)(program) is program


MADE_LATER = ("cpu_", "fused_", "sum_of_")
"""What only passes after `for_batch` ask for: lowerings of one device."""


def test_only_these_operations_run_once_an_image():
    """A new lowering needs a rule in batch_rules.py, or a place here."""
    assert {kind for kind in without_rule() if not kind.startswith(MADE_LATER)} <= {
        # Places that are computed; at the end of detectors, on few elements.
        *("crop_resize", "gather_nd", "reverse_sequence", "scatter", "scatter_along_axis", "scatter_nd"),
        "slice_update",
        # They mean the batch itself.
        *("batch_to_space", "space_to_batch"),
        # Their results hardly depend on what an image holds.
        *("fill", "fill_like", "range_1d", "shape"),
    }
