"""Colours of any kind to sRGB.

An embedded ICC profile is applied (perceptual intent, as viewers do); without one the numbers are taken for sRGB.
Not read: colour spaces that are named without a profile (nclx in HEIC and AVIF, cICP, gAMA and cHRM in PNG).
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

_log = logging.getLogger(__name__)

_SPACE_OF_MODE = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
"""Pillow mode -> the colour space in an ICC header (ICC.1:2022, 7.2.6) that fits it."""


def to_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture as "RGB", and which of the notes "cmyk", "lab", "profile", "profile-broken" apply.

    `picture` has 8 bits a channel and no alpha. A profile that is damaged or is made for another kind of colour is
    ignored and noted; one that changes nothing (sRGB) is skipped and not mentioned.
    """
    if picture.mode == "LAB":
        return picture.convert("RGB"), ("lab",)  # Lab is absolute: a profile cannot add anything
    notes = ("cmyk",) if picture.mode == "CMYK" else ()
    if picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode not in _SPACE_OF_MODE:
        picture = picture.convert("RGB")
    if not profile:
        return picture.convert("RGB"), notes
    try:
        converted = _apply_profile(picture, profile)
    except Exception as error:  # lcms and Pillow raise many kinds for a damaged profile; the picture itself is fine
        _log.info("colour profile ignored: %r", error)
        return picture.convert("RGB"), (*notes, "profile-broken")
    return (picture, notes) if converted is None else (converted, (*notes, "profile"))


def _apply_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB, or None when it is so already. Raises when the profile is broken or does not fit."""
    from PIL import ImageCms  # brings lcms, which most photos do not need

    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space
    if picture.mode == "L" and space == "RGB ":
        picture = picture.convert("RGB")
    if _SPACE_OF_MODE[picture.mode] != space:
        raise ValueError(f"a profile for {space} in a picture of mode {picture.mode}")
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    transform = ImageCms.buildTransform(source, target, picture.mode, "RGB", ImageCms.Intent.PERCEPTUAL)
    if picture.mode == "RGB" and _changes_nothing(transform):
        return None
    converted = ImageCms.applyTransform(picture, transform)
    assert converted is not None  # only in-place conversion gives None
    return converted


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the transform leaves 4,096 colours spread over RGB as they are, to one step."""
    from PIL import ImageCms

    steps = np.arange(0, 256, 17, dtype=np.uint8)
    colours_hwc = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    changed = np.asarray(ImageCms.applyTransform(Image.fromarray(colours_hwc), transform))
    return int(np.abs(changed.astype(np.int16) - colours_hwc).max()) <= 1
