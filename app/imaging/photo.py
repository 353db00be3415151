"""A photo from a file, from bytes, or from pixels."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import BinaryIO

import numpy as np

from app.errors import PhotoMissing, PhotoTooLarge, PhotoUnreadable
from app.i18n import _
from app.imaging.decode import LIMIT_MEGAPIXELS, decode

LIMIT_FILE_BYTES = 1 << 30
"""A larger file is no photo; some readers would take all of it into memory before looking at its size in pixels."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, ready for every model. Immutable, so that threads may share it."""

    name: str
    """What to show: the file's name, "Pasted picture"."""
    path: Path | None
    rgb_hwc: np.ndarray
    """Upright, sRGB, uint8, H×W×3, C-contiguous, read-only."""
    format: str
    """ "JPEG", "PNG", "HEIF" …; "RGB" when it came as pixels."""
    notes: tuple[str, ...]
    """What was converted: ids of `notes.NOTES`."""
    decode_ms: float
    """From opening the file to the pixels."""


def open_photo(path: str | Path) -> Photo:
    """The photo in that file, whatever its suffix says; of several pictures in one file the first.

    Returns at once with an error for whatever is no regular file. Any thread. Raises PhotoMissing, PhotoUnreadable,
    PhotoTooLarge.
    """
    path = Path(path)
    name = _shown_name(path)
    start_ns = perf_counter_ns()
    with _open_regular_file(path, name) as stream:
        decoded = decode(stream, name)
    return Photo(name, path, decoded.rgb_hwc, decoded.format, decoded.notes, _since_ms(start_ns))


def photo_from_bytes(data: bytes, name: str) -> Photo:
    """The photo in the bytes of a file. Raises PhotoUnreadable, PhotoTooLarge."""
    start_ns = perf_counter_ns()
    decoded = decode(io.BytesIO(data), name)
    return Photo(name, None, decoded.rgb_hwc, decoded.format, decoded.notes, _since_ms(start_ns))


def photo_from_rgb(rgb_hwc: np.ndarray, name: str) -> Photo:
    """A photo made of a copy of these pixels: upright sRGB, uint8, H×W×3, any strides.

    Raises PhotoUnreadable (no pixels), PhotoTooLarge.
    """
    start_ns = perf_counter_ns()
    if rgb_hwc.dtype != np.uint8 or rgb_hwc.ndim != 3 or rgb_hwc.shape[2] != 3:
        raise ValueError(f"pixels must be uint8 H×W×3, not {rgb_hwc.dtype} {rgb_hwc.shape}")
    height, width, _channels = rgb_hwc.shape
    if not rgb_hwc.size:
        raise PhotoUnreadable(photo=name, cause=_("it has no pixels"))
    if width * height > LIMIT_MEGAPIXELS * 1_000_000:
        raise PhotoTooLarge(photo=name, width=width, height=height, limit_megapixels=LIMIT_MEGAPIXELS)
    copy_hwc = np.array(rgb_hwc, order="C", copy=True)
    copy_hwc.setflags(write=False)
    return Photo(name, None, copy_hwc, "RGB", (), _since_ms(start_ns))


@contextmanager
def _open_regular_file(path: Path, name: str) -> Iterator[BinaryIO]:
    """The file, open for reading. Never waits: a pipe or device is refused without being opened."""
    try:
        _check_kind(path.stat(), name)
        # Should the path become a pipe between the two calls, O_NONBLOCK keeps the opening of it from waiting.
        with open(path, "rb", opener=lambda p, flags: os.open(p, flags | getattr(os, "O_NONBLOCK", 0))) as stream:
            _check_kind(os.fstat(stream.fileno()), name)
            yield stream
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PhotoMissing(photo=name) from error
    except PermissionError as error:
        raise PhotoUnreadable(photo=name, cause=_("reading it is not permitted")) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise PhotoUnreadable(photo=name, cause=getattr(error, "strerror", None) or str(error)) from error


def _check_kind(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise PhotoUnreadable(photo=name, cause=_("it is a folder"))
    if not stat.S_ISREG(status.st_mode):
        raise PhotoUnreadable(photo=name, cause=_("it is no regular file"))
    if status.st_size > LIMIT_FILE_BYTES:
        raise PhotoUnreadable(photo=name, cause=_("the file is larger than 1 GB"))


def _shown_name(path: Path) -> str:
    """The file's name in characters that can be printed, whatever bytes it is made of."""
    return os.fsencode(path.name or str(path)).decode("utf-8", "replace")


def _since_ms(start_ns: int) -> float:
    return (perf_counter_ns() - start_ns) / 1e6
