"""Every picture ends up upright."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.imaging.photo import photo_from_bytes

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")

FORMATS = {
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
}

STORED_AS = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""What lies in a file with each EXIF orientation, when the picture is upright once it is applied."""


@pytest.mark.parametrize("value", STORED_AS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_orientation_is_turned_upright(name, value, quadrants_hwc, encode):
    kind, options = FORMATS[name]
    exif = Image.Exif()
    exif[274] = value
    stored = np.ascontiguousarray(STORED_AS[value](quadrants_hwc))
    photo = photo_from_bytes(encode(stored, kind, exif=exif, **options), "x")
    assert photo.rgb_hwc.shape == quadrants_hwc.shape
    inside = (slice(4, None, 12), slice(4, None, 12))
    assert np.abs(photo.rgb_hwc[inside].astype(int) - quadrants_hwc[inside]).max() <= 8
    assert photo.rgb_hwc.flags.c_contiguous
    assert photo.notes == (() if value == 1 else ("rotated",))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_senseless_orientation_is_ignored(value, quadrants_hwc, encode):
    exif = Image.Exif()
    exif[274] = value
    photo = photo_from_bytes(encode(quadrants_hwc, "PNG", exif=exif), "x")
    assert np.array_equal(photo.rgb_hwc, quadrants_hwc)
    assert photo.notes == ()


def test_damaged_exif_does_not_cost_the_photo(quadrants_hwc, encode):
    photo = photo_from_bytes(encode(quadrants_hwc, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\x12\x34"), "x")
    assert photo.rgb_hwc.shape == quadrants_hwc.shape
