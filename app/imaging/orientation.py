"""Turning a picture upright, as its EXIF orientation asks."""

from __future__ import annotations

import logging

from PIL import ExifTags, Image

_log = logging.getLogger(__name__)

# EXIF 2.32, 4.6.4 A: where row 0 and column 0 of the stored picture are -> what makes it upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(picture: Image.Image) -> int:
    """The orientation, 1 to 8, that is still to be applied; 1 (upright) where the picture says nothing sensible.

    The reader of TIFF turns the pixels itself while it loads, and says 1 afterwards; that of HEIC always says 1. A PNG
    may be loaded by the question.
    """
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception as error:  # damaged EXIF: Pillow raises whatever its parsing ran into; the pixels are fine
        _log.info("EXIF data cannot be read: %r", error)
        return 1
    return value if value in _TURNS else 1


def turn_upright(picture: Image.Image, value: int) -> Image.Image:
    """The picture after orientation `value`, as `orientation` gave it, is applied."""
    turn = _TURNS.get(value)
    return picture if turn is None else picture.transpose(turn)
