"""Reductions, sorting and sums against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

OLD_AXES = {"CHW": (-3, -2, -1), "HW": (-2, -1), "C": (-3,), "H": (-2,), "W": (-1,)}
OLD = {
    "sum": np.sum,
    "avg": np.mean,
    "prod": np.prod,
    "logsum": lambda x, axis, keepdims: np.log(x + 1e-2).sum(axis, keepdims=keepdims),
    "sumsquare": lambda x, axis, keepdims: (x**2).sum(axis, keepdims=keepdims),
    "L1": lambda x, axis, keepdims: np.abs(x).sum(axis, keepdims=keepdims),
    "L2": lambda x, axis, keepdims: np.sqrt((x**2).sum(axis, keepdims=keepdims)),
    "max": np.max,
    "min": np.min,
}


@pytest.mark.parametrize("mode", OLD)
@pytest.mark.parametrize("axis", OLD_AXES)
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5)])
def test_older_reductions(check_layers, noise, mode, axis, shape):
    check_layers(
        lambda b: b.add_reduce("layer", "x0", "y", axis, mode, 1e-2),
        lambda x: OLD[mode](x, axis=OLD_AXES[axis], keepdims=True),
        np.abs(noise(*shape)),
        rtol=1e-4,
    )


@pytest.mark.parametrize("axis", ["C", "H", "W"])
def test_older_place_of_the_largest(check_layers, noise, axis):
    check_layers(
        lambda b: b.add_reduce("layer", "x0", "y", axis, "argmax"),
        lambda x: x.argmax(OLD_AXES[axis][0], keepdims=True),
        noise(2, 3, 4, 5),
    )


ND = {
    "l1": lambda x, **how: np.abs(x).sum(**how),
    "l2": lambda x, **how: np.sqrt((x**2).sum(**how)),
    "max": np.max,
    "min": np.min,
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "logsum": lambda x, **how: np.log(x.sum(**how)),
    "sumsquare": lambda x, **how: (x**2).sum(**how),
    "logsumexp": lambda x, **how: np.log(np.exp(x).sum(**how)),
}


@pytest.mark.parametrize("kind", ND)
@given(shape=st.lists(st.integers(1, 4), min_size=2, max_size=4), keep=st.booleans(), data=st.data())
def test_reductions_along_any_axes(check_layers, noise, kind, shape, keep, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=len(shape) - 1, unique=True))
    named = [axis - len(shape) if data.draw(st.booleans()) else axis for axis in axes]
    check_layers(
        lambda b: getattr(b, f"add_reduce_{kind}")("layer", "x0", "y", named, keep),
        lambda x: ND[kind](x, axis=tuple(axes), keepdims=keep),
        np.abs(noise(*shape)) + 0.1,
        rtol=1e-4,
    )


@pytest.mark.parametrize("kind", ND)
def test_reducing_all_axes_leaves_one(check_layers, noise, kind):
    check_layers(
        lambda b: getattr(b, f"add_reduce_{kind}")("layer", "x0", "y", keepdims=False, reduce_all=True),
        lambda x: ND[kind](x).reshape(1),
        np.abs(noise(2, 3)) + 0.1,
        rtol=1e-4,
    )


@pytest.mark.parametrize("axis", [-2, 0, 1, -1])
@pytest.mark.parametrize("keep", [True, False])
def test_places_of_the_extremes(check_layers, noise, axis, keep):
    x = noise(3, 4, 5)
    check_layers(lambda b: b.add_argmax("layer", "x0", "y", axis, keep), lambda x: x.argmax(axis, keepdims=keep), x)
    check_layers(lambda b: b.add_argmin("layer", "x0", "y", axis, keep), lambda x: x.argmin(axis, keepdims=keep), x)


def test_place_in_a_vector_stays_a_vector(check_layers, noise):
    check_layers(lambda b: b.add_argmax("layer", "x0", "y", 0, False), lambda x: x.argmax(0, keepdims=True), noise(5))


@pytest.mark.parametrize("bottom", [True, False])
@pytest.mark.parametrize("axis", [0, -1])
def test_best_values(network, run_network, noise, bottom, axis):
    x = noise(5, 6)
    specification = network(
        lambda b: b.add_topk("layer", ["x0"], ["values", "places"], 3, axis, bottom), x.shape,
        outputs=("values", "places"),
    )  # fmt: skip
    values, places = run_network(specification, x)
    wanted = np.argsort(x if bottom else -x, axis).take(range(3), axis)
    np.testing.assert_array_equal(places, wanted)
    np.testing.assert_array_equal(values, np.take_along_axis(x, wanted, axis))


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
def test_order_of_the_values(check_layers, noise, axis, descending):
    check_layers(
        lambda b: b.add_argsort("layer", "x0", "y", axis, descending),
        lambda x: np.argsort(-x if descending else x, axis),
        noise(4, 5),
    )


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("axis", [0, -1])
def test_cumulative_sums(check_layers, noise, axis, reverse, exclusive):
    def expected(x):
        x = np.flip(x, axis) if reverse else x
        y = np.cumsum(x, axis) - (x if exclusive else 0)
        return np.flip(y, axis) if reverse else y

    check_layers(lambda b: b.add_cumsum("layer", ["x0"], "y", axis, reverse, exclusive), expected, noise(4, 5))
