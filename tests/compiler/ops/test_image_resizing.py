"""Resizing of whole axes against the definition, element by element.

The lowerings were also compared with torch.nn.functional.interpolate (bilinear with align_corners True and False:
largest difference 2e-6; nearest, nearest-exact: none; odd and shrinking sizes). The short lists are what coremltools'
own tests expect of Core ML.
"""

import math

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.grid import MODES
from app.compiler.ops.image_resizing import (
    crop,
    resize,
    resize_bilinear,
    resize_nearest_neighbor,
    upsample_bilinear,
    upsample_nearest_neighbor,
)
from app.compiler.ops.registry import NotCovered

pytestmark = pytest.mark.mlx

FLOATS = st.sampled_from([np.float32, np.float16])
SIZES = st.integers(1, 9)
SHAPES = st.one_of(
    st.tuples(SIZES, SIZES, SIZES), st.tuples(st.integers(1, 2), st.integers(1, 3), SIZES, SIZES)
)  # rank 5 as MIL allows it is the same walk over axes


def point(i, size, target, mode):
    """Where result i looks, from coremltools' description of the mode."""
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if target == 1:
            return 0 if mode.startswith("STRICT") else (size - 1) / 2
        return i * (size - 1) / (target - 1)
    if mode == "DEFAULT":
        return 0 if target == 1 else i * (size - size / target) / (target - 1)
    if mode == "OFFSET_CORNERS":
        delta = max(1, size - 1) / target
        return 0.5 * delta + i * delta
    spacing = size / target
    return i * spacing + 0.5 * spacing - 0.5


def interpolated(x, axis, target, mode):
    x = np.moveaxis(x, axis, 0)
    y = np.zeros((target, *x.shape[1:]))
    for i in range(target):
        p = min(len(x) - 1, max(0, point(i, len(x), target, mode)))
        low = math.floor(p)
        high = min(low + 1, len(x) - 1)
        y[i] = x[low] + (p - low) * (x[high] - x[low])
    return np.moveaxis(y, 0, axis)


def bilinear(x, height, width, mode):
    return interpolated(interpolated(x, x.ndim - 2, height, mode), x.ndim - 1, width, mode)


def values(shape, dtype=np.float32):
    return np.random.default_rng(0).uniform(-2, 2, shape).astype(dtype)


@pytest.mark.parametrize("mode", MODES)
@given(shape=SHAPES, height=SIZES, width=SIZES, dtype=FLOATS)
def test_resize_bilinear(check, mode, shape, height, width, dtype):
    check(
        lambda x: mb.resize_bilinear(x=x, target_size_height=height, target_size_width=width, sampling_mode=mode),
        lambda x: bilinear(x, height, width, mode),
        values(shape, dtype),
    )


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("STRICT_ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
        ("DEFAULT", [0, 0.4, 0.8, 1, 1]),
        ("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("UNALIGN_CORNERS", [0, 0.1, 0.5, 0.9, 1]),
    ],
)
def test_two_pixels_become_five_as_in_core_ml(mode, wanted):
    y = resize_bilinear(mx.array([[[0.0, 1.0]]]), target_size_height=1, target_size_width=5, sampling_mode=mode)
    np.testing.assert_allclose(np.array(y).ravel(), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("align", "halves", "mode"),
    [
        (True, None, "STRICT_ALIGN_CORNERS"),
        (True, False, "STRICT_ALIGN_CORNERS"),
        (False, None, "UNALIGN_CORNERS"),
        (False, True, "UNALIGN_CORNERS"),
        (False, False, "DEFAULT"),
    ],
)
@given(shape=SHAPES, factors=st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, 2.5, 1.3, 0.5])] * 2), dtype=FLOATS)
def test_upsample_bilinear(check, align, halves, mode, shape, factors, dtype):
    height, width = (math.floor(n * f) for n, f in zip(shape[-2:], factors, strict=True))
    if not height or not width:
        return
    extra = {} if halves is None else {"half_pixel_centers": halves}
    check(
        lambda x: mb.upsample_bilinear(
            x=x, scale_factor_height=factors[0], scale_factor_width=factors[1], align_corners=align, **extra
        ),
        lambda x: bilinear(x, height, width, mode),
        values(shape, dtype),
    )


def test_upsample_bilinear_takes_a_factor_that_is_whole(check):
    check(
        lambda x: mb.upsample_bilinear(x=x, scale_factor_height=2, scale_factor_width=3),
        lambda x: bilinear(x, 6, 12, "STRICT_ALIGN_CORNERS"),
        values((1, 2, 3, 4)),
    )


def test_corners_are_aligned_or_centres_halved_but_not_both():
    with pytest.raises(NotCovered, match="half_pixel_centers"):
        upsample_bilinear(mx.zeros((1, 2, 2)), align_corners=True, half_pixel_centers=True)


@given(shape=SHAPES, factors=st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, 2.5, 1.12, 0.67])] * 2), dtype=FLOATS)
def test_upsample_nearest_neighbor_takes_the_element_under_the_edge(check, shape, factors, dtype):
    def expected(x):
        for axis, factor in zip((x.ndim - 2, x.ndim - 1), factors, strict=True):
            size, target = x.shape[axis], math.floor(x.shape[axis] * factor)
            x = np.take(x, [i * size // target for i in range(target)], axis=axis)
        return x

    if all(math.floor(n * f) for n, f in zip(shape[-2:], factors, strict=True)):
        check(
            lambda x: mb.upsample_nearest_neighbor(x=x, scale_factor_height=factors[0], scale_factor_width=factors[1]),
            expected,
            values(shape, dtype),
        )


@pytest.mark.parametrize(("factor", "wanted"), [(0.67, [1.5, -2.5]), (1.12, [1.5, -2.5, 3.5])])
def test_fractional_factors_as_in_core_ml(factor, wanted):
    x = mx.array([1.5, -2.5, 3.5]).reshape(1, 1, 1, 3)
    assert upsample_nearest_neighbor(x, scale_factor_width=factor).flatten().tolist() == wanted


@given(shape=SHAPES, height=SIZES, width=SIZES, dtype=FLOATS)
def test_resize_nearest_neighbor_takes_the_element_under_the_centre(check, shape, height, width, dtype):
    def expected(x):
        for axis, target in ((x.ndim - 2, height), (x.ndim - 1, width)):
            size = x.shape[axis]
            x = np.take(x, [math.floor((i + 0.5) * size / target) for i in range(target)], axis=axis)
        return x

    check(
        lambda x: mb.resize_nearest_neighbor(x=x, target_size_height=height, target_size_width=width),
        expected,
        values(shape, dtype),
    )


@given(shape=SHAPES, targets=st.lists(SIZES, min_size=1, max_size=3), mode=st.sampled_from(MODES), dtype=FLOATS)
def test_resize_works_on_the_last_axes(check, shape, targets, mode, dtype):
    def expected(x):
        for i, target in enumerate(targets):
            x = interpolated(x, x.ndim - len(targets) + i, target, mode)
        return x

    check(
        lambda x: mb.resize(x=x, shape=targets, resized_dims=np.uint32(len(targets)), sampling_mode=mode),
        expected,
        values(shape, dtype),
    )


def test_resize_leaves_an_axis_whose_size_is_nought():
    x = mx.array(values((2, 3, 4)))
    y = resize(x, shape=(7, 0, 8), resized_dims=2)
    assert y.shape == (2, 3, 8)
    whole = resize(mx.arange(6).reshape(1, 2, 3), shape=(4, 0), resized_dims=2, interpolation_mode="NEAREST_NEIGHBOR")
    assert whole.tolist() == [[[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]]]


def test_nearest_of_resize_as_in_core_ml():
    y = resize(
        mx.array([-6.0, 9.0]).reshape(1, 1, 2, 1), shape=(3, 2), resized_dims=2, interpolation_mode="NEAREST_NEIGHBOR"
    )
    assert y.flatten().tolist() == [-6, -6, 9, 9, 9, 9]


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (mx.zeros((1, 2, 2)), {"interpolation_mode": "NEAREST_NEIGHBOR", "sampling_mode": "ALIGN_CORNERS"}),
        (mx.zeros((1, 2, 2)), {"sampling_mode": "CUBIC"}),
        (mx.zeros((1, 2, 2), dtype=mx.int32), {}),
    ],
)
def test_what_no_one_defines_is_refused(x, options):
    with pytest.raises(NotCovered, match="resize"):
        resize(x, shape=(3, 3), resized_dims=2, **options)


@given(shape=SHAPES, data=st.data())
def test_crop(check, shape, data):
    def amounts(size):
        before = data.draw(st.integers(0, size - 1))
        return [before, data.draw(st.integers(0, size - 1 - before))]

    (top, bottom), (left, right) = amounts(shape[-2]), amounts(shape[-1])
    check(
        lambda x: mb.crop(x=x, crop_height=[top, bottom], crop_width=[left, right]),
        lambda x: x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right],
        values(shape),
    )


@pytest.mark.parametrize("rank", [3, 4, 5])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, **k: resize_bilinear(x, target_size_height=7, target_size_width=2, **k),
        lambda x, **k: upsample_bilinear(x, scale_factor_height=2.5, scale_factor_width=3.0, **k),
        lambda x, **k: resize_nearest_neighbor(x, target_size_height=7, target_size_width=2, **k),
        lambda x, **k: upsample_nearest_neighbor(x, scale_factor_height=2.0, scale_factor_width=1.5, **k),
        lambda x, **k: resize(x, shape=(5, 6, 7), resized_dims=3, **k),
        lambda x, **k: crop(x, crop_height=(1, 0), crop_width=(1, 2), **k),
    ],
)
def test_channels_last_is_the_same(function, rank):
    x = values((2, 3, 4, 3, 5)[-rank:])
    last, first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    turned = function(mx.array(np.ascontiguousarray(x.transpose(last))), channels_last=True)
    np.testing.assert_allclose(np.array(function(mx.array(x))), np.array(turned).transpose(first), rtol=1e-5, atol=1e-6)


def test_a_long_axis_is_not_resized_by_a_matrix():
    x = values((1, 1, 2, 1500))
    y = resize_bilinear(mx.array(x), target_size_height=2, target_size_width=2100, sampling_mode="UNALIGN_CORNERS")
    np.testing.assert_allclose(np.array(y), bilinear(x.astype(float), 2, 2100, "UNALIGN_CORNERS"), atol=1e-5)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_what_is_the_same_everywhere_stays_so(dtype):
    x = mx.full((1, 2, 7, 9), 1.5, dtype)
    y = resize_bilinear(x, target_size_height=31, target_size_width=20, sampling_mode="UNALIGN_CORNERS")
    assert y.dtype == dtype
    assert mx.all(y == 1.5).item()
