"""Which part of a photo a model sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.view import Crop, view

SIZES = st.tuples(st.integers(1, 6000), st.integers(1, 6000))
INPUTS = st.tuples(st.integers(1, 600), st.integers(1, 600))
FRACTIONS = st.floats(0.05, 1.0)
CROPS = st.sampled_from(Crop)


@given(SIZES, INPUTS, CROPS, FRACTIONS)
def test_the_box_lies_inside_the_photo_and_its_place_inside_the_input(photo, wanted, crop, fraction):
    seen = view(photo, wanted, crop, fraction)
    left, top, right, bottom = seen.box
    assert 0 <= left < right <= photo[0]
    assert 0 <= top < bottom <= photo[1]
    left, top, right, bottom = seen.placed
    assert 0 <= left < right <= wanted[0]
    assert 0 <= top < bottom <= wanted[1]


@given(SIZES, INPUTS, CROPS, FRACTIONS)
def test_everything_is_centred(photo, wanted, crop, fraction):
    seen = view(photo, wanted, crop, fraction)
    assert seen.box[0] + seen.box[2] == pytest.approx(photo[0], abs=1e-9)
    assert seen.box[1] + seen.box[3] == pytest.approx(photo[1], abs=1e-9)
    assert seen.placed[0] + seen.placed[2] == wanted[0]
    assert seen.placed[1] + seen.placed[3] == wanted[1]


@given(SIZES, INPUTS, FRACTIONS)
def test_a_centre_crop_has_the_inputs_shape_and_is_the_largest_of_it(photo, wanted, fraction):
    seen = view(photo, wanted, Crop.CENTRE, fraction)
    width, height = seen.box[2] - seen.box[0], seen.box[3] - seen.box[1]
    assert width * wanted[1] == pytest.approx(height * wanted[0])
    assert max(width / photo[0], height / photo[1]) == pytest.approx(fraction)
    assert seen.placed == (0, 0, *wanted)


@given(SIZES, INPUTS, FRACTIONS)
def test_fit_shows_all_of_the_photo_in_its_shape(photo, wanted, fraction):
    seen = view(photo, wanted, Crop.FIT, fraction)
    width, height = seen.placed[2] - seen.placed[0], seen.placed[3] - seen.placed[1]
    assert seen.box == (0, 0, *photo)
    assert width == wanted[0] or height == wanted[1]
    scale = min(wanted[0] / photo[0], wanted[1] / photo[1])
    # Both bars are equal, so that the sides can be a pixel off; and one pixel always remains, two where bars need it.
    assert abs(width - photo[0] * scale) <= max(1.0, 2 - photo[0] * scale) + 1e-9
    assert abs(height - photo[1] * scale) <= max(1.0, 2 - photo[1] * scale) + 1e-9


@given(SIZES, INPUTS, FRACTIONS)
def test_stretch_maps_all_of_the_photo_to_all_of_the_input(photo, wanted, fraction):
    seen = view(photo, wanted, Crop.STRETCH, fraction)
    assert (seen.box, seen.placed) == ((0, 0, *photo), (0, 0, *wanted))


def test_a_photo_of_4_by_3_for_a_square_model():
    seen = view((4000, 3000), (224, 224), Crop.CENTRE, 0.875)
    assert seen.box == (687.5, 187.5, 3312.5, 2812.5)


@pytest.mark.parametrize(
    ("photo", "wanted", "fraction"),
    [((0, 5), (8, 8), 1.0), ((5, 5), (8, 0), 1.0), ((5, 5), (8, 8), 0.0), ((5, 5), (8, 8), 1.1)],
)
def test_impossible_sizes_are_refused(photo, wanted, fraction):
    with pytest.raises(ValueError, match="no view"):
        view(photo, wanted, Crop.CENTRE, fraction)
