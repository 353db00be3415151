"""Layers that give constants."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import ModelUnreadable

pytestmark = pytest.mark.mlx


def test_stored_constants(check_layers, noise):
    stored = noise(3, 1, 4, seed=1)

    def old(builder):
        builder.add_load_constant("stored", "stored", stored, [3, 1, 4])
        builder.add_elementwise("layer", ["x0", "stored"], "y", "ADD")

    def new(builder):
        builder.add_load_constant_nd("stored", "stored", stored, [3, 1, 4])
        builder.add_add_broadcastable("layer", ["x0", "stored"], "y")

    check_layers(old, lambda x: (x + stored)[None, None], noise(3, 2, 4), rank_5=True)
    check_layers(new, lambda x: x + stored, noise(2, 3, 2, 4))


def test_a_constant_may_be_an_output(network, run_network, noise):
    specification = network(
        lambda b: b.add_load_constant_nd("stored", "y", np.arange(3.0), [3]) and b.add_copy("c", "x0", "z"), (2,),
        outputs=("y", "z"),
    )  # fmt: skip
    y, z = run_network(specification, noise(2))
    np.testing.assert_array_equal(y, [0, 1, 2])
    np.testing.assert_array_equal(z, noise(2))


def test_filled_shapes(check_layers, noise):
    check_layers(lambda b: b.add_fill_like("layer", "x0", "y", 2.5), lambda x: np.full(x.shape, 2.5), noise(2, 3))
    check_layers(lambda b: b.add_fill_static("layer", "y", [2, 4], 2.5), lambda x: np.full((2, 4), 2.5), noise(1))

    def add(builder):
        builder.add_get_shape("shape", "x0", "shape")
        builder.add_fill_dynamic("layer", "shape", "y", 2.5)

    check_layers(add, lambda x: np.full(x.shape, 2.5), noise(2, 3))


def test_ranges(check_layers, noise):
    check_layers(
        lambda b: b.add_range_static("layer", "y", None, 5.5, 1.0, 1.5), lambda x: np.arange(1, 5.5, 1.5), noise(1)
    )

    def add(builder):
        builder.add_load_constant_nd("end", "end", np.array([4.0]), [1])
        builder.add_load_constant_nd("start", "start", np.array([1.0]), [1])
        builder.add_range_dynamic("layer", ["end", "start"], "y", step=0.5)

    check_layers(add, lambda x: np.arange(1, 4, 0.5), noise(1))


def test_an_endless_range_is_named(network, run_network, noise):
    specification = network(lambda b: b.add_range_static("endless", "y", None, 5.0, 1.0, 0.0), (1,))
    with pytest.raises(ModelUnreadable, match="endless"):
        run_network(specification, noise(1))


def test_the_sizes_of_a_blob_count_all_axes(check_layers, noise):
    check_layers(lambda b: b.add_get_shape("layer", "x0", "y"), lambda x: np.array(x.shape), noise(2, 1, 5))
