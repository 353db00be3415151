"""Transparency is shown on white, whatever way a file spells it."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from app.imaging.photo import photo_from_bytes

RED, WHITE = [200, 30, 30], [255, 255, 255]


def half_transparent(kind: str, encode) -> bytes:
    """A 16×8 picture, opaque red on the left, nothing on the right, where the colour below is blue."""
    pixels = np.zeros((8, 16, 4), np.uint8)
    pixels[:, :8], pixels[:, 8:] = (*RED, 255), (0, 0, 255, 0)
    picture = Image.fromarray(pixels)
    if kind == "palette":
        indexed = Image.fromarray(np.repeat(np.uint8([0, 1]), 8)[None].repeat(8, axis=0), "P")
        indexed.putpalette([*RED, 0, 0, 255])
        return encode(indexed, "PNG", transparency=1)
    if kind == "one colour":
        return encode(picture.convert("RGB"), "PNG", transparency=(0, 0, 255))
    if kind == "premultiplied":
        stored = encode(Image.fromarray((pixels * (pixels[..., 3:] / 255)).astype(np.uint8)), "TIFF")
        extra_samples = struct.Struct("<HHIH")  # TIFF 6.0, page 31: 2 is straight alpha, 1 premultiplied
        return stored.replace(extra_samples.pack(338, 3, 1, 2), extra_samples.pack(338, 3, 1, 1))
    return encode(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "AVIF", "palette", "one colour", "premultiplied"])
def test_transparent_parts_are_white(kind, encode):
    photo = photo_from_bytes(half_transparent(kind, encode), "x")
    assert np.abs(photo.rgb_hwc[4, 3].astype(int) - RED).max() <= 8
    assert np.abs(photo.rgb_hwc[4, 12].astype(int) - WHITE).max() <= (1 if kind == "AVIF" else 0)
    assert photo.notes == ("alpha",)


def test_premultiplied_colours_are_not_darkened_twice(encode):
    pixels = np.uint8([[[100, 50, 0, 128]]])
    straight, premultiplied = encode(pixels, "TIFF"), struct.Struct("<HHIH")
    data = straight.replace(premultiplied.pack(338, 3, 1, 2), premultiplied.pack(338, 3, 1, 1))
    assert np.abs(photo_from_bytes(data, "x").rgb_hwc[0, 0].astype(int) - (227, 177, 127)).max() <= 2


def test_a_heic_with_alpha(data_folder):
    photo = photo_from_bytes((data_folder / "half-transparent.heic").read_bytes(), "x")
    assert photo.rgb_hwc[10, 4].tolist() == WHITE
    assert np.abs(photo.rgb_hwc[10, -4].astype(int) - (30, 160, 60)).max() <= 8
    assert photo.notes == ("alpha",)


def test_half_opacity_mixes_with_white(encode):
    photo = photo_from_bytes(encode(Image.new("RGBA", (2, 2), (0, 100, 200, 128)), "PNG"), "x")
    assert np.abs(photo.rgb_hwc[0, 0].astype(int) - (127, 177, 227)).max() <= 1


def test_grey_with_alpha(encode):
    photo = photo_from_bytes(encode(Image.new("LA", (2, 2), (10, 0)), "PNG"), "x")
    assert (photo.rgb_hwc[0, 0].tolist(), photo.notes) == (WHITE, ("alpha",))


def test_grey_where_one_value_means_transparent(encode):
    picture = Image.fromarray(np.uint8([[10, 20]]))
    photo = photo_from_bytes(encode(picture, "PNG", transparency=20), "x")
    assert photo.rgb_hwc[0].tolist() == [[10, 10, 10], WHITE]


def test_a_palette_with_several_opacities(encode):
    indexed = Image.fromarray(np.uint8([[0, 1, 2]]), "P")
    indexed.putpalette([0, 0, 0] * 3)
    photo = photo_from_bytes(encode(indexed, "PNG", transparency=bytes([255, 128, 0])), "x")
    assert np.abs(photo.rgb_hwc[0, :, 0].astype(int) - (0, 127, 255)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_that_hides_nothing_is_not_mentioned(mode, encode, quadrants_hwc):
    picture = Image.fromarray(quadrants_hwc).convert("L" if mode == "LA" else "RGB").convert(mode)
    photo = photo_from_bytes(encode(picture, "PNG"), "x")
    assert np.array_equal(photo.rgb_hwc, np.asarray(picture.convert("RGB")))
    assert photo.notes == ()
