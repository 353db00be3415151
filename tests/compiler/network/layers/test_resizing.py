"""Interpolation on the grids of NeuralNetwork.proto, and pixels moved between channels and space."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

SIZES = st.integers(1, 6)


def sampled(x, rows, columns):
    """x at fractional rows and columns of its last two axes, linearly."""

    def along(x, places, axis):
        low = np.clip(np.floor(places).astype(int), 0, x.shape[axis] - 1)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        part = (places - low).reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])
        return np.take(x, low, axis) * (1 - part) + np.take(x, high, axis) * part

    return along(along(x, rows, -2), columns, -1)


UPSAMPLED = {
    "DEFAULT": lambda size, out: np.minimum(size - 1, np.arange(out) * size / out),
    "ALIGN_CORNERS_TRUE": lambda size, out: np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0),
    "ALIGN_CORNERS_FALSE": lambda size, out: np.clip((np.arange(out) + 0.5) * size / out - 0.5, 0, size - 1),
}


@pytest.mark.parametrize("mode", UPSAMPLED)
@given(height=SIZES, width=SIZES, factors=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_linear_upsampling(check_layers, noise, mode, height, width, factors):
    grid = UPSAMPLED[mode]

    def expected(x):
        return sampled(x, grid(height, height * factors[0]), grid(width, width * factors[1]))

    check_layers(
        lambda b: b.add_upsample("layer", *factors, "x0", "y", "BILINEAR", mode),
        expected,
        noise(2, 3, height, width),
        rtol=1e-4,
    )


@pytest.mark.parametrize("mode", ["ALIGN_CORNERS_TRUE", "ALIGN_CORNERS_FALSE"])
@pytest.mark.parametrize("factor", [1.5, 2.25, 3.7])
def test_linear_upsampling_by_a_fraction(check_layers, noise, mode, factor):
    """The number of pixels is rounded down, and the grid is made for that number."""
    grid, out = UPSAMPLED[mode], int(5 * np.float32(factor))
    check_layers(
        lambda b: b.add_upsample("layer", factor, 1.0, "x0", "y", "BILINEAR", mode),
        lambda x: sampled(x, grid(5, out), np.arange(4.0)),
        noise(1, 2, 5, 4),
        rtol=1e-4,
    )


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
@pytest.mark.parametrize("factors", [(1, 2), (3, 2)])
def test_nearest_upsampling(check_layers, noise, shape, factors):
    check_layers(
        lambda b: b.add_upsample("layer", *factors, "x0", "y"),
        lambda x: x.repeat(factors[0], -2).repeat(factors[1], -1),
        noise(*shape),
    )


def roi(size, out):
    spacing = max(1, size - 1) / out
    return np.minimum(size - 1, 0.5 * spacing + np.arange(out) * spacing)


RESIZED = {
    "STRICT_ALIGN_ENDPOINTS_MODE": lambda size, out: np.linspace(0, size - 1, out),
    "ALIGN_ENDPOINTS_MODE": lambda size, out: np.linspace(0, size - 1, out) if out > 1 else np.array([(size - 1) / 2]),
    "UPSAMPLE_MODE": lambda size, out: np.minimum(size - 1, np.arange(out) * size / out),
    "ROI_ALIGN_MODE": roi,
}


@pytest.mark.parametrize("mode", RESIZED)
@given(height=SIZES, width=SIZES, target=st.tuples(SIZES, SIZES))
def test_resizing(check_layers, noise, mode, height, width, target):
    grid = RESIZED[mode]
    check_layers(
        lambda b: b.add_resize_bilinear("layer", "x0", "y", *target, mode),
        lambda x: sampled(x, grid(height, target[0]), grid(width, target[1])),
        noise(1, 3, height, width),
        rtol=1e-4,
    )


@pytest.mark.parametrize("with_image", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
def test_crop_and_resize(check_layers, noise, with_image, normalized):
    """The strict grid has its ends on the ends of the box."""
    boxes = np.array([[0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.0, 1.0], [0.5, 0.25, 0.75, 0.5]], np.float32)
    images = [1, 0, 1] if with_image else [0, 0, 0]
    given = boxes if normalized else boxes * np.array([6, 4, 6, 4], np.float32)
    regions = np.column_stack([images, given]) if with_image else given
    x = noise(1, 2 if with_image else 1, 3, 7, 5)

    def expected(x, _):
        cut = [
            sampled(x[0, image], np.linspace(top * 6, bottom * 6, 3), np.linspace(left * 4, right * 4, 4))
            for image, (top, left, bottom, right) in zip(images, boxes.astype(float), strict=True)
        ]
        return np.stack(cut)[:, None]

    check_layers(
        lambda b: b.add_crop_resize("layer", ["x0", "x1"], "y", 3, 4, normalized_roi=normalized),
        expected,
        x,
        regions.reshape(3, 1, -1, 1, 1).astype(np.float32),
        rtol=1e-4,
    )


@given(size=st.integers(2, 3), channels=st.integers(1, 3), height=st.integers(1, 3), width=st.integers(1, 3))
def test_reorganized_data(check_layers, noise, size, channels, height, width):
    deep, wide = (2, channels * size * size, height, width), (2, channels, height * size, width * size)

    def add(mode):
        return lambda b: b.add_reorganize_data("layer", "x0", "y", mode, size)

    def to_space(x):
        return x.reshape(2, size, size, channels, height, width).transpose(0, 3, 4, 1, 5, 2).reshape(wide)

    def shuffled(x):
        return x.reshape(2, channels, size, size, height, width).transpose(0, 1, 4, 2, 5, 3).reshape(wide)

    def to_depth(x):
        return x.reshape(2, channels, height, size, width, size).transpose(0, 3, 5, 1, 2, 4).reshape(deep)

    check_layers(add("DEPTH_TO_SPACE"), to_space, noise(*deep))
    check_layers(add("PIXEL_SHUFFLE"), shuffled, noise(*deep))
    check_layers(add("SPACE_TO_DEPTH"), to_depth, noise(*wide))


def test_depth_to_space_of_the_documentation(run_layers):
    x = np.arange(1, 17, dtype=np.float32).reshape(8, 1, 2)
    y = run_layers(lambda b: b.add_reorganize_data("layer", "x0", "y", "DEPTH_TO_SPACE", 2), x)
    assert y[0].tolist() == [[1, 5, 2, 6], [9, 13, 10, 14]]
