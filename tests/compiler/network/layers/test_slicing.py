"""Layers that take parts, against NumPy's slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.errors import ModelUnreadable

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize("rank_5", [True, False])
@pytest.mark.parametrize("axis", ["channel", "height", "width"])
@given(start=st.integers(0, 4), end=st.integers(-3, 6), stride=st.integers(1, 3))
def test_slice_of_one_axis(check_layers, noise, rank_5, axis, start, end, stride):
    """An end of zero is the end of the axis."""
    place = {"channel": -3, "height": -2, "width": -1}[axis]
    stop = end if end > 0 else 6 + end
    assume(start < stop)

    def expected(x):
        y = np.take(x, range(start, stop, stride), place)
        return y[None, None] if rank_5 else y

    check_layers(
        lambda b: b.add_slice("layer", "x0", "y", axis, start, end, stride), expected, noise(6, 6, 6), rank_5=rank_5
    )


def test_a_slice_of_nothing_is_named(network, run_network, noise):
    specification = network(lambda b: b.add_slice("none", "x0", "y", "width", 3, 3), (1, 4, 4))
    with pytest.raises(ModelUnreadable, match="none \\(slice\\)"):
        run_network(specification, noise(1, 4, 4))


SLICES = {
    "plain": ([1, 0, 2], [3, 5, 5], [1, 2, 1], [False] * 3, [False] * 3, [False] * 3, np.s_[1:3, 0:5:2, 2:5]),
    "masks": ([1, 2, 3], [3, -3, 2], [2] * 3, [True, False, True], [False, True, True], [False] * 3,
              np.s_[:3:2, 2::2, ::2]),
    "squeezed": ([1, 2, 3], [3, -3, 2], [2] * 3, [True, False, True], [False, True, True], [False, True, False],
                 np.s_[:3:2, 2, ::2]),
    "negative": ([-2, -1, 0], [-1, 0, 5], [1, -2, 1], [False] * 3, [False] * 3, [False] * 3, np.s_[-2:-1, -1:0:-2, :]),
    "backwards": ([0] * 3, [0] * 3, [-1] * 3, [True] * 3, [True] * 3, [False] * 3, np.s_[::-1, ::-1, ::-1]),
}  # fmt: skip


@pytest.mark.parametrize("case", SLICES)
def test_slices_with_masks(check_layers, noise, case):
    begin, end, stride, begin_mask, end_mask, squeeze, wanted = SLICES[case]
    check_layers(
        lambda b: b.add_slice_static("layer", "x0", "y", begin, end, stride, begin_mask, end_mask, squeeze),
        lambda x: x[wanted],
        noise(5, 5, 5),
    )


@pytest.mark.parametrize("case", SLICES)
def test_slices_whose_bounds_come_from_constants(check_layers, noise, case):
    begin, end, stride, begin_mask, end_mask, squeeze, wanted = SLICES[case]

    def add(builder):
        builder.add_load_constant_nd("begin", "begin", np.array(begin, float), [3])
        builder.add_load_constant_nd("end", "end", np.array(end, float), [3])
        builder.add_slice_dynamic("layer", ["x0", "begin", "end"], "y", None, stride, begin_mask, end_mask, squeeze)

    check_layers(add, lambda x: x[wanted], noise(5, 5, 5))


def test_a_slice_from_an_index_that_is_an_input(check_layers, noise):
    check_layers(
        lambda b: b.add_slice_by_size("layer", ["x0", "x1"], "y", 1, 2),
        lambda x, i: x[:, 3:5],
        noise(2, 6, 3),
        np.array([3], np.float32),
    )


def test_equal_parts_of_the_channels(network, run_network, noise):
    x = noise(1, 6, 2, 3)
    names = ["a", "b", "c"]
    specification = network(lambda b: b.add_split("layer", "x0", names), x.shape, outputs=tuple(names))
    for given_part, wanted in zip(run_network(specification, x), np.split(x, 3, 1), strict=True):
        np.testing.assert_array_equal(given_part, wanted)


@pytest.mark.parametrize(("axis", "sizes"), [(1, [1, 3, 2]), (-2, [1, 3, 2]), (1, None)])
def test_parts_of_any_axis(network, run_network, noise, axis, sizes):
    x = noise(2, 6, 3)
    names = ["a", "b", "c"]
    specification = network(
        lambda b: b.add_split_nd("layer", "x0", names, axis, 3, sizes), x.shape, outputs=tuple(names)
    )
    wanted = np.split(x, np.cumsum(sizes)[:-1] if sizes else 3, axis)
    for given_part, part in zip(run_network(specification, x), wanted, strict=True):
        np.testing.assert_array_equal(given_part, part)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sliding_windows(check_layers, noise, axis):
    def expected(x):
        windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis)
        return np.moveaxis(np.take(windows, range(0, windows.shape[axis % 3], 2), axis % 3), -1, axis % 3 + 1)

    check_layers(lambda b: b.add_sliding_windows("layer", "x0", "y", axis, 3, 2), expected, noise(7, 6, 5))


@pytest.mark.parametrize("k", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("shape", [(4, 5), (2, 5, 3)])
def test_triangles(check_layers, noise, k, shape):
    check_layers(lambda b: b.add_lower_triangular("layer", "x0", "y", k), lambda x: np.tril(x, k), noise(*shape))
    check_layers(lambda b: b.add_upper_triangular("layer", "x0", "y", k), lambda x: np.triu(x, k), noise(*shape))


@pytest.mark.parametrize(("lower", "upper"), [(1, 2), (-1, 0), (0, -1), (-1, -1)])
def test_band_of_a_matrix(check_layers, noise, lower, upper):
    def expected(x):
        x = x if lower < 0 else np.triu(x, -lower)
        return x if upper < 0 else np.tril(x, upper)

    check_layers(lambda b: b.add_matrix_band_part("layer", "x0", "y", lower, upper), expected, noise(2, 5, 6))
