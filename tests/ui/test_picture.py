"""Between NumPy and QImage."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from app.errors import NoPhotoInFolder, PhotoUnreadable
from app.ui.picture import load_photo, pasted_photo, picture_of, pixels_of


def test_there_and_back_keeps_every_pixel_at_odd_widths(qapp):
    rgb = np.random.default_rng(1).integers(0, 256, (7, 13, 3), np.uint8)
    assert np.array_equal(pixels_of(picture_of(rgb, 2048)), rgb)


def test_a_large_photo_is_reduced_for_the_screen(qapp):
    picture = picture_of(np.zeros((40, 9000, 3), np.uint8), 512)
    assert (picture.width(), picture.height()) == (512, 2)


def test_transparent_parts_become_white(qapp):
    image = QImage(3, 2, QImage.Format.Format_ARGB32)
    image.fill(QColor(0, 0, 0, 0))
    assert np.unique(pixels_of(image)).tolist() == [255]


def test_a_pasted_picture_is_a_photo_without_a_file(qapp):
    image = QImage(5, 4, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 20, 30))
    shown = pasted_photo(image, "Pasted picture")
    assert shown.photo.path is None
    assert shown.photo.rgb_hwc.shape == (4, 5, 3)
    assert shown.photo.rgb_hwc[0, 0].tolist() == [10, 20, 30]


def test_a_folder_gives_its_first_photo(photo_file, qapp):
    assert load_photo(photo_file.parent).photo.name == "zebra.jpg"


def test_errors_name_what_is_wrong(tmp_path, qapp):
    with pytest.raises(NoPhotoInFolder):
        load_photo(tmp_path)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    with pytest.raises(PhotoUnreadable):
        load_photo(broken)
