"""HEIC, the format of phones."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import PhotoUnreadable
from app.imaging.photo import open_photo, photo_from_bytes


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two pictures are alike but for lossy compression."""
    return a.shape == b.shape and int(np.abs(a.astype(int) - b).max()) <= 8


def test_heic_is_read(data_folder, quadrants_hwc):
    photo = open_photo(data_folder / "upright.heic")
    assert close(photo.rgb_hwc, quadrants_hwc)
    assert (photo.name, photo.format, photo.notes) == ("upright.heic", "HEIF", ())


def test_a_heic_that_its_container_turns_is_turned_once(data_folder, quadrants_hwc):
    photo = open_photo(data_folder / "turned.heic")
    assert close(photo.rgb_hwc, np.rot90(quadrants_hwc, -1))


def test_damaged_metadata_in_a_heic_does_not_end_the_process(data_folder, quadrants_hwc):
    damaged = (data_folder / "turned.heic").read_bytes().replace(b"Exif", b"\xff\xff\xff\xff", 1)
    assert close(photo_from_bytes(damaged, "x").rgb_hwc, np.rot90(quadrants_hwc, -1))


def test_of_a_heic_with_two_pictures_the_first_is_used(data_folder, quadrants_hwc):
    photo = open_photo(data_folder / "two.heic")
    assert close(photo.rgb_hwc, quadrants_hwc)
    assert photo.notes == ("first-frame",)


def test_a_heic_that_ends_early_is_unreadable(data_folder):
    whole = (data_folder / "upright.heic").read_bytes()
    for kept in range(0, len(whole), 20):
        with pytest.raises(PhotoUnreadable):
            photo_from_bytes(whole[:kept], "x")
