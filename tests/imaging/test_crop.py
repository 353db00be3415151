"""What a model gets of a photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.imaging.crop import _average_rows, prepare
from app.imaging.view import BAR_GREY, Crop, view

FRACTIONS = st.floats(0.05, 1.0)
SMALL_PHOTOS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))
SMALL_INPUTS = st.tuples(st.integers(1, 24), st.integers(1, 24))
CROPS = st.sampled_from(Crop)
INTERPOLATIONS = st.sampled_from(["bilinear", "bicubic"])


@given(SMALL_PHOTOS, SMALL_INPUTS, CROPS, FRACTIONS, INTERPOLATIONS)
@example(np.zeros((1, 1, 3), np.uint8), (224, 224), Crop.CENTRE, 0.875, "bicubic")
@example(np.zeros((5000, 1, 3), np.uint8), (224, 224), Crop.CENTRE, 0.875, "bilinear")
@example(np.zeros((1, 5000, 3), np.uint8), (224, 224), Crop.FIT, 0.875, "bilinear")
def test_the_result_is_what_a_model_takes_and_always_the_same(photo, wanted, crop, fraction, interpolation):
    result = prepare(photo, wanted, crop, fraction, interpolation)
    assert result.shape == (wanted[1], wanted[0], 3)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert result.flags.writeable
    assert np.array_equal(result, prepare(photo, wanted, crop, fraction, interpolation))


@given(
    st.tuples(*[st.integers(0, 255)] * 3),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    SMALL_INPUTS,
    st.sampled_from([Crop.CENTRE, Crop.STRETCH]),
    FRACTIONS,
    INTERPOLATIONS,
)
def test_one_colour_stays_that_colour(colour, size, wanted, crop, fraction, interpolation):
    photo = np.full((*size, 3), colour, np.uint8)
    assert (prepare(photo, wanted, crop, fraction, interpolation) == colour).all()


@given(SMALL_PHOTOS, SMALL_INPUTS, CROPS, FRACTIONS, INTERPOLATIONS)
def test_a_mirrored_photo_gives_the_mirrored_result(photo, wanted, crop, fraction, interpolation):
    straight = prepare(photo, wanted, crop, fraction, interpolation).astype(int)
    across = prepare(np.ascontiguousarray(photo[:, ::-1]), wanted, crop, fraction, interpolation)
    down = prepare(np.ascontiguousarray(photo[::-1]), wanted, crop, fraction, interpolation)
    # Two passes, each rounded; bicubic can carry the first one's rounding into the second enlarged.
    allowed = 1 if interpolation == "bilinear" else 2
    assert np.abs(across[:, ::-1] - straight).max() <= allowed
    assert np.abs(down[::-1] - straight).max() <= allowed


@given(SMALL_PHOTOS, SMALL_INPUTS, INTERPOLATIONS)
def test_the_bars_beside_a_fitted_photo_are_grey_to_the_pixel(photo, wanted, interpolation):
    photo = np.where(photo == BAR_GREY, BAR_GREY + 1, photo).astype(np.uint8)
    left, top, right, bottom = view((photo.shape[1], photo.shape[0]), wanted, Crop.FIT, 1.0).placed
    result = prepare(photo, wanted, Crop.FIT, 1.0, interpolation)
    alone = prepare(photo, (right - left, bottom - top), Crop.STRETCH, 1.0, interpolation)
    assert np.array_equal(result[top:bottom, left:right], alone)
    result[top:bottom, left:right] = BAR_GREY
    assert (result == BAR_GREY).all()


@given(SMALL_PHOTOS, INTERPOLATIONS)
def test_a_photo_of_the_right_size_is_not_changed(photo, interpolation):
    height, width, _channels = photo.shape
    for crop in Crop:
        assert np.array_equal(prepare(photo, (width, height), crop, 1.0, interpolation), photo)


@given(SMALL_PHOTOS, SMALL_INPUTS, FRACTIONS, INTERPOLATIONS)
def test_cutting_first_changes_nothing_but_rounding(photo, wanted, fraction, interpolation):
    # Pillow resamples first along the side that is cheaper, so the order depends on the size of what it is given. The
    # rounding in between differs then; and where bicubic overshoots, what is clipped, hence the low contrast here.
    photo = 64 + photo // 2
    height, width, _channels = photo.shape
    box = view((width, height), wanted, Crop.CENTRE, fraction).box
    whole = Image.fromarray(photo).resize(wanted, Image.Resampling[interpolation.upper()], box)
    result = prepare(photo, wanted, Crop.CENTRE, fraction, interpolation)
    assert np.abs(result - np.asarray(whole).astype(int)).max() <= 2


@pytest.mark.parametrize("crop", [Crop.FIT, Crop.STRETCH])
def test_every_corner_of_the_photo_is_seen(crop):
    photo = np.zeros((90, 120, 3), np.uint8)
    photo[:15, :15], photo[:15, -15:], photo[-15:, :15], photo[-15:, -15:] = 60, 120, 180, 240
    result = prepare(photo, (80, 60) if crop is Crop.FIT else (50, 70), crop, 0.875, "bilinear")
    assert result[[0, 0, -1, -1], [0, -1, 0, -1], 0].tolist() == [60, 120, 180, 240]


def test_making_smaller_averages_instead_of_picking():
    checks = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    result = prepare(np.repeat(checks[..., None], 3, axis=2), (64, 64), Crop.CENTRE, 1.0, "bilinear")
    assert np.abs(result.astype(int) - 127.5).max() <= 1


@pytest.fixture(scope="module")
def large_photo() -> np.ndarray:
    """3000×4000 pixels with edges and noise of every size, as photos have."""
    random = np.random.default_rng(3)
    photo = np.zeros((3000, 4000, 3))
    for cells in (4, 16, 64, 256, 1000):
        grid = random.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
        photo += np.asarray(Image.fromarray(grid).resize((4000, 3000), Image.Resampling.BICUBIC), dtype=float) / 5
    photo[1000:1500, 1000:2000] = (250, 10, 10)
    return photo.astype(np.uint8)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("crop", [Crop.CENTRE, Crop.STRETCH])
def test_the_short_cut_for_large_photos_is_hardly_visible(crop, interpolation, large_photo):
    box = view((4000, 3000), (224, 224), crop, 0.875).box
    whole = Image.fromarray(large_photo).resize((224, 224), Image.Resampling[interpolation.upper()], box)
    difference = np.abs(prepare(large_photo, (224, 224), crop, 0.875, interpolation) - np.asarray(whole).astype(int))
    assert difference.max() <= 3
    assert difference.mean() < 0.5


def test_the_short_cut_keeps_one_colour_and_the_whole_height():
    flat = np.full((3001, 2999, 3), (7, 130, 200), np.uint8)
    flat[0], flat[-1] = 255, 255
    result = prepare(flat, (224, 224), Crop.STRETCH, 1.0, "bilinear")
    assert (result[1:-1] == (7, 130, 200)).all()
    assert (result[0] > (7, 130, 200)).all()
    assert (result[-1] > (7, 130, 200)).all()


@pytest.mark.parametrize("rows", [2, 3, 7, 300])
def test_rows_are_averaged_exactly(rows):
    photo = np.random.default_rng(rows).integers(0, 256, (1501, 40, 3), dtype=np.uint8)
    averaged = _average_rows(photo, 3, 31, rows)
    assert len(averaged) == -(-1501 // rows)
    for index, row in enumerate(averaged):
        exact = photo[index * rows : (index + 1) * rows, 3:31].mean(axis=0)
        assert np.abs(row - exact).max() <= 0.5


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(KeyError):
        prepare(np.zeros((4, 4, 3), np.uint8), (2, 2), Crop.CENTRE, 1.0, "nearest")
