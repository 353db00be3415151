"""Pictures with more than 8 bits a channel.

What Pillow 13 does, found by reading and running it: 16-bit colour (PNG, TIFF) becomes 8-bit by keeping the high byte
while it loads; 16-bit grey stays as it is in the modes "I;16…", whose `convert` clips at 255 instead of scaling; grey
of 32 bits comes as "I" or "F"; colour of 32 bits, 16-bit Lab, 16-bit grey with alpha and some 16-bit grey TIFFs that
count from white are not read at all. HEIC and AVIF of 10 and 12 bits come as 8.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFile

_TIFF_BITS, _TIFF_PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0


def is_deep(picture: ImageFile.ImageFile) -> bool:
    """Whether a channel has more than 8 bits in the file. For a picture that was opened and not yet loaded.

    Of an AVIF Pillow does not tell: False.
    """
    stored = [tile.args[0] if isinstance(tile.args, tuple) else tile.args for tile in picture.tile]
    return any(";16" in str(one) or ";12" in str(one) for one in stored) or picture.info.get("bit_depth", 8) > 8


def has_unknown_range(picture: Image.Image) -> bool:
    """Whether nothing says which of its values is white: grey of 32 bits, whole or floating-point, and signed grey."""
    return picture.mode in ("I", "F")


def eight_bit(picture: Image.Image) -> Image.Image:
    """The loaded picture with 8 bits a channel: 16-bit grey becomes "L", or "LA" if one grey value means transparent.

    The high byte is kept, as Pillow does with colour.
    """
    if not picture.mode.startswith("I;16"):
        return picture
    tags = getattr(picture, "tag_v2", {})
    value_hw = np.asarray(picture).astype(np.uint16)
    grey_hw = (value_hw >> (tags.get(_TIFF_BITS, (16,))[0] - 8)).astype(np.uint8)
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey_hw = 255 - grey_hw  # Pillow inverts these at 8 bits only
    grey = Image.fromarray(grey_hw)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        alpha_hw = np.where(value_hw == transparent, np.uint8(0), np.uint8(255))
        grey = Image.merge("LA", (grey, Image.fromarray(alpha_hw)))
    return grey
