"""Colours of any kind become sRGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.imaging.photo import photo_from_bytes


def srgb_curve(linear: np.ndarray) -> np.ndarray:
    """Linear light 0 to 1 as 8-bit sRGB (IEC 61966-2-1), unrounded."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def expected_srgb(rgb: np.ndarray, icc, gamma: float = 2.2) -> np.ndarray:
    """8-bit Display P3 with that gamma in sRGB, computed apart from any colour library."""
    xyz = ((rgb / 255) ** gamma) @ np.array(icc.p3)
    return srgb_curve(xyz @ np.linalg.inv(np.array(icc.srgb)))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 100, "subsampling": 0})],
)
def test_display_p3_is_converted(kind, options, encode, icc):
    colours = np.uint8([[120, 80, 60], [60, 130, 90], [90, 90, 160], [128, 128, 128], [200, 180, 160]])
    pixels = np.repeat(np.repeat(colours[None], 8, axis=0), 8, axis=1)
    photo = photo_from_bytes(encode(pixels, kind, icc_profile=icc.rgb(icc.p3), **options), "x")
    centres = photo.rgb_hwc[4, 4::8].astype(float)
    assert np.abs(centres - expected_srgb(colours, icc)).max() <= (4 if kind == "JPEG" else 2)
    assert np.abs(centres - colours).max() > 5, "the picture must change for this to show anything"
    assert photo.notes == ("profile",)


def test_colours_beyond_srgb_are_clipped_not_wrapped(encode, icc):
    pixels = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    photo = photo_from_bytes(encode(pixels, "PNG", icc_profile=icc.rgb(icc.p3)), "x")
    assert photo.rgb_hwc[0, 0].tolist() == [255, 0, 0]


def test_display_p3_in_heic_and_avif(data_folder, encode, icc, quadrants_hwc):
    avif = encode(quadrants_hwc, "AVIF", quality=95, subsampling="4:4:4", icc_profile=icc.rgb(icc.p3))
    for data in ((data_folder / "display-p3.heic").read_bytes(), avif):
        photo = photo_from_bytes(data, "x")
        corners = photo.rgb_hwc[8:40:31, 8:56:47].reshape(-1, 3)
        stored = quadrants_hwc[8:40:31, 8:56:47].reshape(-1, 3)
        assert np.abs(corners - expected_srgb(stored, icc)).max() <= 10
        assert photo.notes == ("profile",)


def test_the_pixels_stay_exactly_when_the_profile_is_srgb(encode, icc, quadrants_hwc):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = photo_from_bytes(encode(quadrants_hwc, "PNG", icc_profile=profile), "x")
    assert np.array_equal(photo.rgb_hwc, quadrants_hwc)
    assert photo.notes == ()


def test_a_grey_profile_is_applied(encode, icc):
    values = np.uint8([[0, 20, 60, 128, 255]])
    photo = photo_from_bytes(encode(Image.fromarray(values), "PNG", icc_profile=icc.grey(1.0)), "x")
    assert np.abs(photo.rgb_hwc[0, :, 1] - srgb_curve(values[0] / 255)).max() <= 1.5
    assert photo.notes == ("profile",)


def test_a_grey_picture_may_have_an_rgb_profile(encode, icc):
    values = np.uint8([[0, 20, 60, 128, 255]])
    photo = photo_from_bytes(encode(Image.fromarray(values), "PNG", icc_profile=icc.rgb(icc.p3, gamma=1.0)), "x")
    assert np.abs(photo.rgb_hwc[0, :, 1] - srgb_curve(values[0] / 255)).max() <= 1.5


def test_alpha_and_profile_together(encode, icc):
    pixels = np.uint8([[[120, 80, 60, 255], [120, 80, 60, 0]]])
    photo = photo_from_bytes(encode(pixels, "PNG", icc_profile=icc.rgb(icc.p3)), "x")
    assert np.abs(photo.rgb_hwc[0, 0] - expected_srgb(pixels[0, 0, :3], icc)).max() <= 2
    assert photo.rgb_hwc[0, 1].tolist() == [255, 255, 255]
    assert photo.notes == ("profile", "alpha")


def test_a_palette_with_a_profile(encode, icc):
    indexed = Image.fromarray(np.zeros((2, 2), np.uint8), "P")
    indexed.putpalette([120, 80, 60])
    photo = photo_from_bytes(encode(indexed, "PNG", icc_profile=icc.rgb(icc.p3)), "x")
    assert np.abs(photo.rgb_hwc[0, 0] - expected_srgb(np.array([120, 80, 60]), icc)).max() <= 2


def broken_profiles(icc) -> dict[str, bytes]:
    good = icc.rgb(icc.p3)
    return {
        "noise": bytes(range(256)),
        "cut": good[:200],
        "no tags": good[:128] + bytes(4),
        "for ink": icc.cmyk(),
        "for grey": icc.grey(2.2),
        "wrong offsets": good[:136] + b"\xff" * 24 + good[160:],
    }


@pytest.mark.parametrize("name", ["noise", "cut", "no tags", "for ink", "for grey", "wrong offsets"])
def test_a_profile_that_cannot_be_used_is_ignored_and_noted(name, encode, icc, quadrants_hwc):
    photo = photo_from_bytes(encode(quadrants_hwc, "PNG", icc_profile=broken_profiles(icc)[name]), "x")
    assert np.array_equal(photo.rgb_hwc, quadrants_hwc)
    assert photo.notes == ("profile-broken",)


# --- inks and Lab ---------------------------------------------------------------------------------------------------

INKS = {"paper": (0, 0, 0, 0), "cyan": (255, 0, 0, 0), "yellow": (0, 0, 255, 0), "black": (0, 0, 0, 255)}
SCREEN = {"paper": (255, 255, 255), "cyan": (0, 255, 255), "yellow": (255, 255, 0), "black": (0, 0, 0)}


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_not_shown_inverted(ink, kind, encode):
    picture = Image.new("CMYK", (16, 16), INKS[ink])
    photo = photo_from_bytes(encode(picture, kind, **({"quality": 95} if kind == "JPEG" else {})), "x")
    assert np.abs(photo.rgb_hwc[8, 8].astype(int) - SCREEN[ink]).max() <= 6
    assert photo.notes == ("cmyk",)


def test_ycck_is_read_as_cmyk(encode):
    # Photoshop's way: the amounts of the first three inks as brightness and two colour differences, black inverted
    # (libjpeg, jdcolor.c, ycck_cmyk_convert). Pillow writes inverted what it gets, so it gets the inverse.
    planes = [*Image.new("RGB", (16, 16), INKS["yellow"][:3]).convert("YCbCr").split(), Image.new("L", (16, 16), 255)]
    plain = encode(Image.merge("CMYK", [plane.point(lambda v: 255 - v) for plane in planes]), "JPEG", quality=95)
    marker = plain.index(b"Adobe")
    ycck = plain[: marker + 11] + b"\x02" + plain[marker + 12 :]
    photo = photo_from_bytes(ycck, "x")
    assert np.abs(photo.rgb_hwc[8, 8].astype(int) - SCREEN["yellow"]).max() <= 6
    assert photo.notes == ("cmyk",)


def test_cmyk_goes_through_its_profile(encode, icc):
    picture = Image.new("CMYK", (8, 8), INKS["cyan"])
    photo = photo_from_bytes(encode(picture, "TIFF", icc_profile=icc.cmyk()), "x")
    red, green, blue = photo.rgb_hwc[4, 4].astype(int)
    assert max(red, green, blue) - min(red, green, blue) <= 3, "this press prints cyan as a grey"
    assert 190 <= green <= 205, "L* 80 is 198 in sRGB"
    assert photo.notes == ("cmyk", "profile")


def test_cmyk_with_a_broken_profile_is_converted_without(encode):
    picture = Image.new("CMYK", (8, 8), INKS["cyan"])
    photo = photo_from_bytes(encode(picture, "TIFF", icc_profile=b"nothing"), "x")
    assert photo.rgb_hwc[4, 4].tolist() == [0, 255, 255]
    assert photo.notes == ("cmyk", "profile-broken")


def test_lab_is_converted(encode):
    grey = Image.new("LAB", (4, 4), (136, 128, 128))  # L* 53.4, neutral
    photo = photo_from_bytes(encode(grey, "TIFF"), "x")
    assert np.abs(photo.rgb_hwc[0, 0].astype(int) - 128).max() <= 3
    assert photo.notes == ("lab",)


def test_ycbcr_tiff_is_converted(encode, quadrants_hwc):
    photo = photo_from_bytes(encode(Image.fromarray(quadrants_hwc).convert("YCbCr"), "TIFF"), "x")
    assert np.abs(photo.rgb_hwc.astype(int) - quadrants_hwc).max() <= 3
