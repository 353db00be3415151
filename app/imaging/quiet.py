"""Keeping Pillow and the libraries below it from printing.

They warn of oddities in EXIF and the like, and libtiff writes what is wrong with a damaged file to the error output by
itself. A photo that cannot be used is reported by our own error, in one sentence; the rest is nobody's business.
"""

from __future__ import annotations

import ctypes
import logging
import warnings
from functools import cache

from PIL import Image


def drop_pillow_warnings() -> None:
    """Python warnings go; log records go to our log where one is set up, not to logging's last resort, which prints."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())


@cache
def silence_libtiff() -> bool:
    """Whether libtiff could be told to be silent (TIFFSetErrorHandler(3tiff)); for the life of the process.

    Pillow has no switch for it. The function is looked up in the libraries that Pillow's own extension is linked to; a
    Pillow that hides it there is left as it is.
    """
    extension = getattr(Image.core, "__file__", None)
    if extension is None:
        return False
    set_handler = getattr(ctypes.CDLL(extension), "TIFFSetErrorHandler", None)
    if set_handler is None:
        return False
    set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
    set_handler(None)
    return True
