"""The photos that a command line names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.complaint import Complaints
from app.errors import PhotoError, PhotoUnreadable
from app.i18n import _
from app.paths import shown_path

if TYPE_CHECKING:
    from app.cli.rooms import Rooms
    from app.imaging.photo import Photo

STANDARD_INPUT = "-"


def open_photos(rooms: Rooms, names: Iterable[str], complaints: Complaints) -> Iterator[tuple[str, Photo]]:
    """Each photo with the name to show for it, opened one at a time. One that cannot be used is complained about.

    A folder stands for all photos directly in it, "-" for a picture on standard input.
    """
    for name in names:
        try:
            for path in _photos_of(name):
                try:
                    yield shown_path(path), _open(rooms, path)
                except PhotoError as error:
                    complaints.say(_named_as_typed(error, path))
        except PhotoError as error:
            complaints.say(_named_as_typed(error, name))


def _named_as_typed(error: PhotoError, path: str) -> PhotoError:
    """The same error about the path instead of its last part, which photos in two folders may share."""
    if path == STANDARD_INPUT:
        return error
    return type(error)(**{**error.fields, "photo": shown_path(path)})


def _open(rooms: Rooms, path: str) -> Photo:
    if path == STANDARD_INPUT:
        return _from_standard_input(rooms)
    return rooms.open_photo(Path(path))


def _from_standard_input(rooms: Rooms) -> Photo:
    from app.imaging.photo import LIMIT_FILE_BYTES

    name = _("standard input")
    data = sys.stdin.buffer.read(LIMIT_FILE_BYTES + 1)
    if len(data) > LIMIT_FILE_BYTES:
        raise PhotoUnreadable(photo=name, cause=_("the file is larger than 1 GB"))
    return rooms.photo_from_bytes(data, name)


def _photos_of(name: str) -> list[str]:
    """The path itself, or of a folder the photos in it in the order in which a person counts. Raises PhotoError."""
    # Unlike Path.is_dir, os.path.isdir raises nothing for a name that is too long or in a folder that is locked.
    if name == STANDARD_INPUT or not os.path.isdir(name):
        return [name]
    folder = Path(name)
    from app.imaging.find import SUFFIXES, first_photo, natural_order

    first_photo(folder)  # raises when there is none, or when looking is not permitted
    found = [one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")]
    return list(map(str, sorted(found, key=natural_order)))
