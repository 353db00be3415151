"""The reader of HEIC and HEIF.

It stands on the native half of pi_heif alone: the Pillow plug-in of pi_heif 1.4.0 also reads every piece of metadata,
and does it so that a damaged one ends the process (a segmentation fault where an item's type is no text). What a photo
needs, pixels and colour profile, does not go that way. EXIF is not read at all: the container itself says how its
picture is turned, and libheif has done it.
"""

from __future__ import annotations

from typing import Any

import _pi_heif
from pi_heif import options
from PIL import Image, ImageFile


class HeifPicture(ImageFile.ImageFile):
    """The primary picture of a container, 8 bits a channel, turned as the container says. Decoded by `load`."""

    format = "HEIF"
    format_description = "HEIF container"

    def _open(self) -> None:
        assert self.fp is not None
        found = _pi_heif.load_file(
            self.fp.read(),
            options.DECODE_THREADS,
            True,  # reduce 10 and 12 bits to 8
            False,  # RGB, not BGR
            False,  # rows may be padded
            True,  # of no effect beside the reduction to 8 bits
            "",  # any decoder
            False,  # keep libheif's limits against hostile files
        )
        images = [image for image in found if image is not None]
        if not images:
            raise SyntaxError("no picture in the container")
        self._image: Any = next((image for image in images if image.primary), images[0])
        self._size, self._mode = self._image.size_mode
        self.is_animated = len(images) > 1
        self.info["bit_depth"] = int(self._image.bit_depth)
        profile = self._image.color_profile
        if profile and profile["type"] in ("rICC", "prof"):
            self.info["icc_profile"] = profile["data"]

    def load(self) -> Image.core.PixelAccess | None:
        """Decode, once. Raises for damaged data ValueError, EOFError, SyntaxError or RuntimeError."""
        if self._image is not None:
            data = self._image.data
            self._size, self._mode = self._image.size_mode  # known for certain only now
            self.im = Image.core.new(self.mode, self.size)
            self.frombytes(data, "raw", (self.mode, self._image.stride))
            self._image = None
        return Image.Image.load(self)
