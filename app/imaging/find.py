"""Finding the photo in a folder that was dropped."""

from __future__ import annotations

import re
from pathlib import Path

from app.errors import NoPhotoInFolder, PhotoMissing, PhotoUnreadable
from app.i18n import _

SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".heic", ".heif", ".hif", ".avif"),
    }
)
"""Endings, lower case with dot, of files that may be photos."""


def first_photo(folder: Path) -> Path:
    """The photo that comes first by name, numbers by value ("2.jpg" before "10.jpg"); folders below are not searched.

    Hidden files are passed over: on foreign volumes macOS leaves a "._photo.jpg" beside each photo, which is none.
    Raises NoPhotoInFolder, PhotoMissing (no such folder), PhotoUnreadable (not permitted).
    """
    try:
        photos = [one for one in folder.iterdir() if _may_be_photo(one)]
    except FileNotFoundError as error:
        raise PhotoMissing(photo=folder.name) from error
    except NotADirectoryError as error:
        raise NoPhotoInFolder(photo=folder.name) from error
    except OSError as error:
        raise PhotoUnreadable(photo=folder.name, cause=_("reading it is not permitted")) from error
    if not photos:
        raise NoPhotoInFolder(photo=folder.name)
    return min(photos, key=natural_order)


def natural_order(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Sorting key: letters without case, runs of digits as numbers; equal ones by their exact name."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", path.name.casefold())
    return [("", int(digits)) if digits else (text, 0) for digits, text in parts], path.name


def _may_be_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
