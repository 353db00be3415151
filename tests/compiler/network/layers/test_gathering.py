"""Layers that pick and put by index, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.mlx


def indices(*rows):
    return np.array(rows, np.float32)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather(check_layers, noise, axis):
    check_layers(
        lambda b: b.add_gather("layer", ["x0", "x1"], "y", axis),
        lambda x, i: np.take(x, i.astype(int), axis),
        noise(4, 4, 4),
        indices([0, 3], [2, -1]),
    )


def test_gather_at_multi_indices(check_layers, noise):
    check_layers(
        lambda b: b.add_gather_nd("layer", ["x0", "x1"], "y"),
        lambda x, i: x[tuple(np.moveaxis(i.astype(int), -1, 0))],
        noise(3, 4, 5),
        indices([[0, 3], [2, 1]], [[1, 1], [0, 0]]),
    )


@pytest.mark.parametrize("axis", [0, -1])
def test_gather_along_an_axis(check_layers, noise, axis):
    where = np.random.default_rng(0).integers(0, 3, (3, 3)).astype(np.float32)
    check_layers(
        lambda b: b.add_gather_along_axis("layer", ["x0", "x1"], "y", axis),
        lambda x, i: np.take_along_axis(x, i.astype(int), axis),
        noise(3, 3),
        where,
    )


COMBINED = {
    "UPDATE": lambda old, new: new,
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "DIV": np.divide,
    "MAX": np.maximum,
    "MIN": np.minimum,
}


@pytest.mark.parametrize("mode", COMBINED)
def test_scatter(check_layers, noise, mode):
    def expected(x, i, new):
        y = x.copy()
        y[:, i.astype(int)] = COMBINED[mode](y[:, i.astype(int)], new)
        return y

    check_layers(
        lambda b: b.add_scatter("layer", ["x0", "x1", "x2"], "y", 1, mode),
        expected,
        noise(2, 5),
        np.array([3, 0], np.float32),
        noise(2, 2, seed=1) + 3,
    )


@pytest.mark.parametrize("mode", COMBINED)
def test_scatter_at_multi_indices(check_layers, noise, mode):
    def expected(x, i, new):
        y = x.copy()
        place = tuple(i.astype(int).T)
        y[place] = COMBINED[mode](y[place], new)
        return y

    check_layers(
        lambda b: b.add_scatter_nd("layer", ["x0", "x1", "x2"], "y", mode),
        expected,
        noise(3, 4),
        indices([0, 3], [2, 1]),
        noise(2, seed=1) + 3,
    )


@pytest.mark.parametrize("mode", COMBINED)
def test_scatter_along_an_axis(check_layers, noise, mode):
    def expected(x, i, new):
        y, places = x.copy(), i.astype(int)
        np.put_along_axis(y, places, COMBINED[mode](np.take_along_axis(y, places, 1), new), 1)
        return y

    check_layers(
        lambda b: b.add_scatter_along_axis("layer", ["x0", "x1", "x2"], "y", 1, mode),
        expected,
        noise(2, 5),
        indices([3, 0], [1, 4]),
        noise(2, 2, seed=1) + 3,
    )


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_one_hot_finds_no_place_for_what_is_outside(check_layers, axis):
    def expected(i):
        hit = i[..., None] == np.arange(4)
        return np.moveaxis(np.where(hit, 5, -1), -1, axis)

    check_layers(
        lambda b: b.add_one_hot("layer", ["x0"], "y", 4, axis, 5.0, -1.0), expected, indices([0, 3, 1], [2, -1, 7])
    )


@pytest.mark.parametrize("flags", [[True, False, True], [False, False, False]])
def test_reverse(check_layers, noise, flags):
    axes = [axis for axis, flag in enumerate(flags) if flag]
    check_layers(lambda b: b.add_reverse("layer", "x0", "y", flags), lambda x: np.flip(x, axes), noise(2, 3, 4))


def test_reverse_of_sequences(check_layers):
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    wanted = [[[2, 3], [0, 1], [4, 5]], [[10, 11], [8, 9], [6, 7]]]
    check_layers(
        lambda b: b.add_reverse_sequence("layer", ["x0", "x1"], "y", 0, 1),
        lambda x, n: np.array(wanted),
        x,
        np.array([2, 3], np.float32),
    )
