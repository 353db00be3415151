"""Borders added and cut against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ModelUnreadable

pytestmark = pytest.mark.mlx

EDGES = st.tuples(*(st.integers(0, 2),) * 4)


@pytest.mark.parametrize(
    ("kind", "mode"), [("constant", "constant"), ("reflection", "reflect"), ("replication", "edge")]
)
@given(edges=EDGES, shape=st.lists(st.integers(3, 5), min_size=2, max_size=4))
def test_borders(check_layers, noise, kind, mode, edges, shape):
    top, bottom, left, right = edges
    more = {"constant_values": 1.5} if kind == "constant" else {}

    def expected(x):
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(top, bottom), (left, right)], mode=mode, **more)

    check_layers(
        lambda b: b.add_padding("layer", left, right, top, bottom, 1.5, "x0", "y", kind), expected, noise(*shape)
    )


def test_a_mirrored_border_as_wide_as_the_image_is_refused(network, run_network, noise):
    specification = network(lambda b: b.add_padding("wide", 0, 3, 0, 0, 0, "x0", "y", "reflection"), (1, 3, 3))
    with pytest.raises(ModelUnreadable, match="wide"):
        run_network(specification, noise(1, 3, 3))


def test_constant_border_on_any_axis(check_layers, noise):
    check_layers(
        lambda b: b.add_constant_pad("layer", ["x0"], "y", -1.0, pad_amounts=[0, 1, 2, 0, 0, 3]),
        lambda x: np.pad(x, [(0, 1), (2, 0), (0, 3)], constant_values=-1),
        noise(2, 3, 4),
    )


def test_constant_border_up_to_a_size(check_layers, noise):
    """A size that is there already stays."""
    check_layers(
        lambda b: b.add_constant_pad("layer", ["x0"], "y", 0.5, True, [0, 5, 6, 0, 0, 3]),
        lambda x: np.pad(x, [(0, 3), (3, 0), (0, 0)], constant_values=0.5),
        noise(2, 3, 4),
    )


def test_constant_border_from_a_constant_layer(check_layers, noise):
    def add(builder):
        builder.add_load_constant_nd("amounts", "amounts", np.array([1.0, 0.0, 0.0, 2.0]), [4])
        builder.add_constant_pad("layer", ["x0", "amounts"], "y")

    check_layers(add, lambda x: np.pad(x, [(1, 0), (0, 2)]), noise(2, 3))


@pytest.mark.parametrize("shape", [(3, 7, 8), (2, 3, 7, 8)])
def test_crop_by_amounts(check_layers, noise, shape):
    check_layers(
        lambda b: b.add_crop("layer", 1, 2, 3, 0, [0, 0], ["x0"], "y"), lambda x: x[..., 3:, 1:-2], noise(*shape)
    )


def test_crop_like_another_blob(check_layers, noise):
    check_layers(
        lambda b: b.add_crop("layer", 0, 0, 0, 0, [1, 2], ["x0", "x1"], "y"),
        lambda x, like: x[..., 1:5, 2:5],
        noise(2, 3, 7, 8),
        noise(2, 9, 4, 3),
    )


def test_a_crop_that_leaves_nothing_is_named(network, run_network, noise):
    specification = network(lambda b: b.add_crop("narrow", 2, 2, 0, 0, [0, 0], ["x0"], "y"), (1, 4, 4))
    with pytest.raises(ModelUnreadable, match="narrow \\(crop\\)"):
        run_network(specification, noise(1, 4, 4))
