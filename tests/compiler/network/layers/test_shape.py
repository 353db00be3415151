"""Layers that change shapes against NumPy, under both shape rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ModelUnreadable, UnsupportedOps

pytestmark = pytest.mark.mlx


def to_last(x):
    """C, H, W -> H, W, C at the end of the axes."""
    return np.moveaxis(x, -3, -1)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
def test_flatten_keeps_the_rank(check_layers, noise, mode, shape):
    check_layers(
        lambda b: b.add_flatten("layer", mode, "x0", "y"),
        lambda x: (to_last(x) if mode else x).reshape(*shape[:-3], 60, 1, 1),
        noise(*shape),
    )


def test_flatten_by_the_older_shape_rules(check_layers, noise):
    check_layers(
        lambda b: b.add_flatten("layer", 1, "x0", "y"),
        lambda x: to_last(x).reshape(1, 1, 60, 1, 1),
        noise(3, 4, 5),
        rank_5=True,
    )


@pytest.mark.parametrize("axis", [-2, -1, 0, 1, 2])
def test_flatten_to_two_axes(check_layers, noise, axis):
    check_layers(
        lambda b: b.add_flatten_to_2d("layer", "x0", "y", axis),
        lambda x: x.reshape(int(np.prod(x.shape[:axis])), -1),
        noise(2, 3, 4),
    )


@pytest.mark.parametrize("sequence", [None, 1, 3])
@pytest.mark.parametrize("mode", [0, 1])
def test_reshape_in_two_orders(check_layers, noise, mode, sequence):
    target = [*([] if sequence is None else [sequence]), 4, 2, 15 // (sequence or 1)]

    def expected(x):
        if not mode:
            return x.reshape(sequence or 1, 1, *target[-3:])
        last = to_last(x).reshape(sequence or 1, 1, target[-2], target[-1], target[-3])
        return np.moveaxis(last, -1, -3)

    check_layers(lambda b: b.add_reshape("layer", "x0", "y", target, mode), expected, noise(6, 4, 5), rank_5=True)


def test_a_reshape_that_mixes_batch_and_sequence_is_refused(network, run_network, noise):
    specification = network(lambda b: b.add_reshape("layer", "x0", "y", [2, 3, 1, 1], 0), (1, 2, 3, 1, 1))
    with pytest.raises(UnsupportedOps, match="layer \\(reshape, targetShape"):
        run_network(specification, noise(1, 2, 3, 1, 1))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_permute_leaves_the_batch_in_place(check_layers, noise, order):
    first, *others = (([0, 2, 3, 4])[axis] for axis in order)
    check_layers(
        lambda b: b.add_permute("layer", list(order), "x0", "y"),
        lambda x: x[None, None].transpose(first, 1, *others),
        noise(3, 4, 5),
        rank_5=True,
    )
    check_layers(
        lambda b: b.add_permute("layer", list(order), "x0", "y"),
        lambda x: x.transpose(first, 1, *others),
        noise(2, 1, 3, 4, 5),
    )


def test_layers_after_a_sequence_moved(check_layers, noise):
    """A channel that became the sequence is a batch to what comes next."""

    def add(builder):
        builder.add_permute("move", [1, 0, 2, 3], "x0", "moved")
        builder.add_pooling("pool", 2, 2, 1, 1, "MAX", "VALID", "moved", "y")

    def expected(x):
        windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), (1, 2)).max((-1, -2))
        return windows[:, None, None]

    check_layers(add, expected, noise(3, 4, 5), rank_5=True)


@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=5), data=st.data())
def test_transpose(check_layers, noise, shape, data):
    axes = data.draw(st.permutations(range(len(shape))))
    check_layers(lambda b: b.add_transpose("layer", axes, "x0", "y"), lambda x: x.transpose(axes), noise(*shape))


@pytest.mark.parametrize("target", [[6, 4], [2, -1], [-1], [1, 3, 8, 1]])
def test_static_reshape(check_layers, noise, target):
    check_layers(
        lambda b: b.add_reshape_static("layer", "x0", "y", target), lambda x: x.reshape(target), noise(2, 3, 4)
    )


def test_rank_preserving_reshape_keeps_sizes_of_zero(check_layers, noise):
    check_layers(
        lambda b: b.add_rank_preserving_reshape("layer", "x0", "y", [8, 0, -1]),
        lambda x: x.reshape(8, 3, 1),
        noise(2, 3, 4),
    )


def test_reshape_like_another_blob(check_layers, noise):
    check_layers(
        lambda b: b.add_reshape_like("layer", ["x0", "x1"], "y"),
        lambda x, like: x.reshape(like.shape),
        noise(2, 3, 4),
        noise(4, 6),
    )


def test_reshape_by_a_shape_worked_out_by_layers(check_layers, noise):
    def add(builder):
        builder.add_get_shape("shape", "x0", "shape")
        builder.add_slice_static("front", "shape", "front", [0], [1], [1], [False], [False])
        builder.add_load_constant_nd("rest", "rest", np.array([-1.0]), [1])
        builder.add_concat_nd("target", ["front", "rest"], "target", 0)
        builder.add_reshape_dynamic("layer", ["x0", "target"], "y")

    check_layers(add, lambda x: x.reshape(2, 12), noise(2, 3, 4))


def test_a_shape_that_only_the_input_knows_is_named(network, run_network, noise):
    specification = network(lambda b: b.add_reshape_dynamic("layer", ["x0", "x1"], "y"), (4,), (2,))
    with pytest.raises(UnsupportedOps, match=r"layer \(reshapeDynamic, shape computed at run time\)"):
        run_network(specification, noise(4), np.array([2, 2], np.float32))


ABSURD = {
    "filled": lambda b: b.add_fill_static("huge", "y", [10**6, 10**6], 0.0),
    "repeated": lambda b: b.add_tile("huge", "x0", "y", [10**12]),
    "broadcast": lambda b: b.add_broadcast_to_static("huge", "x0", "y", [10**6, 10**6]),
    "reshaped": lambda b: b.add_reshape_static("huge", "x0", "y", [10**6, 10**6]),
    "padded": lambda b: b.add_constant_pad("huge", ["x0"], "y", pad_amounts=[0, 10**12]),
    "counted": lambda b: b.add_range_static("huge", "y", None, 1e12, 0.0, 1.0),
    "marked": lambda b: b.add_one_hot("huge", ["x0"], "y", 10**12),
}


@pytest.mark.parametrize("case", ABSURD)
def test_an_absurd_size_is_refused_before_memory_is_asked_for(network, run_network, case):
    with pytest.raises(ModelUnreadable, match="huge"):
        run_network(network(ABSURD[case], (1,)), np.zeros(1, np.float32))


def test_an_absurd_size_worked_out_from_constants_is_refused(network, run_network):
    def add(builder):
        builder.add_load_constant_nd("a", "a", np.zeros(10**5), [10**5, 1])
        builder.add_load_constant_nd("b", "b", np.zeros(10**5), [1, 10**5])
        builder.add_add_broadcastable("huge", ["a", "b"], "y")

    with pytest.raises(ModelUnreadable, match="huge"):
        run_network(network(add, (1,)), np.zeros(1, np.float32))


@pytest.mark.parametrize(("axes", "wanted"), [([0, -1], (3, 4)), ([2], (1, 3, 4, 1))])
def test_squeeze(check_layers, noise, axes, wanted):
    x = noise(1, 3, 4, 1) if len(wanted) == 2 else noise(1, 3, 1, 4, 1)
    check_layers(lambda b: b.add_squeeze("layer", "x0", "y", axes), lambda x: x.reshape(wanted), x)


def test_squeezing_all_leaves_an_axis(check_layers, noise):
    check_layers(lambda b: b.add_squeeze("layer", "x0", "y", squeeze_all=True), lambda x: x.reshape(1), noise(1, 1, 1))


@pytest.mark.parametrize(("axes", "wanted"), [([0, 1], (1, 1, 2, 3)), ([0, 2], (1, 2, 1, 3)), ([-2, -1], (2, 3, 1, 1))])
def test_expand_dims(check_layers, noise, axes, wanted):
    check_layers(lambda b: b.add_expand_dims("layer", "x0", "y", axes), lambda x: x.reshape(wanted), noise(2, 3))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_stack(check_layers, noise, axis):
    check_layers(
        lambda b: b.add_stack("layer", ["x0", "x1"], "y", axis),
        lambda a, b: np.stack([a, b], axis),
        noise(2, 3),
        noise(2, 3, seed=1),
    )


@pytest.mark.parametrize("rank_5", [True, False])
def test_channels_one_after_the_other(check_layers, noise, rank_5):
    def expected(a, b):
        y = np.concatenate([a, b], -3)
        return y[None, None] if rank_5 else y

    check_layers(
        lambda b: b.add_elementwise("layer", ["x0", "x1"], "y", "CONCAT"),
        expected,
        noise(2, 4, 5),
        noise(3, 4, 5, seed=1),
        rank_5=rank_5,
    )


def test_sequences_one_after_the_other_and_repeated(check_layers, noise):
    def add(builder):
        builder.add_elementwise("layer", ["x0", "x1"], "both", "SEQUENCE_CONCAT")
        builder.add_sequence_repeat("again", 2, "both", "y")

    check_layers(
        add,
        lambda a, b: np.tile(np.stack([a, b])[:, None], (2, 1, 1, 1, 1)),
        noise(3, 4, 5),
        noise(3, 4, 5, seed=1),
        rank_5=True,
    )


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("interleave", [True, False])
def test_any_axis_one_after_the_other(check_layers, noise, axis, interleave):
    def expected(a, b):
        if not interleave:
            return np.concatenate([a, b], axis)
        return np.stack([a, b], axis % 3 + 1).reshape(*(2 * n if i == axis % 3 else n for i, n in enumerate(a.shape)))

    check_layers(
        lambda b: b.add_concat_nd("layer", ["x0", "x1"], "y", axis, interleave),
        expected,
        noise(2, 3, 4),
        noise(2, 3, 4, seed=1),
    )


@pytest.mark.parametrize("reps", [[3], [1, 2, 3]])
def test_tile(check_layers, noise, reps):
    check_layers(lambda b: b.add_tile("layer", "x0", "y", reps), lambda x: np.tile(x, reps), noise(2, 1, 3))


def test_broadcasts(check_layers, noise):
    x = noise(3, 1)
    check_layers(
        lambda b: b.add_broadcast_to_static("layer", "x0", "y", [2, 3, 4]),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        x,
    )
    check_layers(
        lambda b: b.add_broadcast_to_like("layer", ["x0", "x1"], "y"),
        lambda x, like: np.broadcast_to(x, like.shape),
        x,
        noise(3, 5),
    )

    def add(builder):
        builder.add_load_constant_nd("shape", "shape", np.array([3.0, 2.0]), [2])
        builder.add_broadcast_to_dynamic("layer", ["x0", "shape"], "y")

    check_layers(add, lambda x: np.broadcast_to(x, (3, 2)), x)
