"""Transparency: parts that are not there are shown on white.

White, because pictures with transparency are mostly drawn for white pages, and it is what a viewer shows by default.
"""

from __future__ import annotations

from PIL import Image


def split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours alone, and the opacity as an "L" picture; None when every pixel is opaque.

    Takes an alpha channel (straight or premultiplied), a palette with transparent entries, and one colour that means
    transparent.
    """
    if not picture.has_transparency_data:
        return picture, None
    if picture.mode in ("1", "L", "La", "LA"):
        both, colours = picture.convert("LA"), "L"
    else:
        both, colours = picture.convert("RGBA"), "RGB"
    alpha = both.getchannel("A")
    opaque = alpha.getextrema() == (255, 255)
    return both.convert(colours), None if opaque else alpha


def lay_on_white(rgb: Image.Image, alpha: Image.Image) -> Image.Image:
    """The "RGB" picture over white, weighted by its opacity."""
    white = Image.new("RGB", rgb.size, (255, 255, 255))
    white.paste(rgb, mask=alpha)
    return white
