"""A picture file's bytes to upright sRGB pixels: the straight line through the rooms beside this file."""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

from app.errors import PhotoTooLarge, PhotoUnreadable
from app.i18n import _
from app.imaging.alpha import lay_on_white, split_alpha
from app.imaging.colour import to_srgb
from app.imaging.depth import eight_bit, has_unknown_range, is_deep
from app.imaging.formats import picture_reader
from app.imaging.orientation import orientation, turn_upright
from app.imaging.quiet import drop_pillow_warnings

LIMIT_MEGAPIXELS = 64
"""More is not read at once: 64 megapixels take up to 700 MB for a moment while they are converted."""

STRIP_BYTES = 4_000_000
"""Pixels that are copied at one go."""

_log = logging.getLogger(__name__)

drop_pillow_warnings()


@dataclass(frozen=True, eq=False)
class Decoded:
    """Upright sRGB pixels, uint8, H×W×3, read-only; the format's name; ids of `notes.NOTES`."""

    rgb_hwc: np.ndarray
    format: str
    notes: tuple[str, ...]


def decode(stream: BinaryIO, photo: str) -> Decoded:
    """The first picture in a seekable stream. `photo` is its name for errors.

    Size is judged by the header, before pixels take memory. Nothing incomplete comes back: a picture whose data end
    early is unreadable. Raises PhotoUnreadable, PhotoTooLarge.
    """
    reader = picture_reader(stream)
    if reader is None:
        empty = not stream.read(1)
        raise PhotoUnreadable(
            photo=photo, cause=_("the file is empty") if empty else _("it is no known picture format")
        )
    try:
        picture = reader(stream)
        notes = _limit_size(picture, stream, photo)
        _refuse_raw_preview(picture, photo)
        return _convert(picture, photo, notes)
    except (PhotoUnreadable, PhotoTooLarge):
        raise
    except MemoryError as error:
        raise PhotoUnreadable(photo=photo, cause=_("not enough memory")) from error
    except Exception as error:  # a damaged file makes Pillow and the codecs raise nearly every kind there is
        _log.info("decoding %s: %r", photo, error)
        raise PhotoUnreadable(photo=photo, cause=_("the file is damaged or incomplete")) from error


def _convert(picture: ImageFile.ImageFile, photo: str, notes: tuple[str, ...]) -> Decoded:
    """Pixels of an opened picture that is small enough, with what had to be done to them."""
    deep, several = is_deep(picture), bool(getattr(picture, "is_animated", False))
    turned = orientation(picture) != 1
    picture.load()
    if has_unknown_range(picture):
        raise PhotoUnreadable(photo=photo, cause=_("its grey values have 32 bits, and nothing says which one is white"))
    profile = picture.info.get("icc_profile")
    colours, alpha = split_alpha(eight_bit(picture))
    rgb, colour_notes = to_srgb(colours, profile)
    if alpha is not None:
        rgb = lay_on_white(rgb, alpha)
    upright = turn_upright(rgb, orientation(picture))
    rgb_hwc = _pixels(upright)
    rgb_hwc.setflags(write=False)
    applied = {"rotated": turned, "16-bit": deep, "alpha": alpha is not None, "first-frame": several}
    all_notes = (*notes, *colour_notes, *(note for note, applies in applied.items() if applies))
    return Decoded(rgb_hwc, str(picture.format), all_notes)


def _pixels(rgb: Image.Image) -> np.ndarray:
    """Pixels of an RGB picture, copied in strips.

    Pillow holds the interpreter while it hands out pixels; all of a large photo at once would make a window, whose
    thread waits for the interpreter, stand still for half a second.
    """
    width, height = rgb.size
    rgb_hwc = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP_BYTES // (3 * width))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        rgb_hwc[top:bottom] = np.asarray(rgb.crop((0, top, width, bottom)))
    return rgb_hwc


def _limit_size(picture: ImageFile.ImageFile, stream: BinaryIO, photo: str) -> tuple[str, ...]:
    """Nothing, or the note "reduced" after a JPEG was set to be read at 1/2, 1/4 or 1/8. Raises PhotoTooLarge."""
    width, height = picture.size
    limit = LIMIT_MEGAPIXELS * 1_000_000
    if width * height <= limit:
        return ()
    if picture.format == "JPEG" and _decodes_row_by_row(picture, stream):
        for scale in (2, 4, 8):
            reduced = (width // scale, height // scale)
            if min(reduced) >= 1 and -(-width // scale) * -(-height // scale) <= limit:
                picture.draft(None, reduced)
                return ("reduced",)
    raise PhotoTooLarge(photo=photo, width=width, height=height, limit_megapixels=LIMIT_MEGAPIXELS)


def _decodes_row_by_row(picture: ImageFile.ImageFile, stream: BinaryIO) -> bool:
    """Whether a JPEG can be reduced in little memory: one scan with all channels.

    Of a progressive file, or one scan a channel, libjpeg keeps every coefficient of the full size: gigabytes.
    The reader stands just behind the header of the first scan (ITU-T T.81, B.2.3): length, number of channels, …
    """
    channels = len(picture.getbands())
    here = stream.tell()
    stream.seek(here - (6 + 2 * channels))
    length, in_scan = struct.unpack(">HB", stream.read(3))
    stream.seek(here)
    return "progressive" not in picture.info and (length, in_scan) == (6 + 2 * channels, channels)


def _refuse_raw_preview(picture: ImageFile.ImageFile, photo: str) -> None:
    """Raises PhotoUnreadable for camera raw files that look like TIFF: what would open is their thumbnail."""
    new_subfile_type, reduced_copy = 254, 1  # TIFF 6.0, page 36
    if getattr(picture, "tag_v2", {}).get(new_subfile_type, 0) & reduced_copy:
        raise PhotoUnreadable(photo=photo, cause=_("it holds only a preview, as camera raw files do"))
