"""The photos that a command line names."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.complaint import Complaints
from app.errors import PhotoError
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
                    complaints.say(error)
        except PhotoError as error:
            complaints.say(error)


def _open(rooms: Rooms, path: str) -> Photo:
    if path == STANDARD_INPUT:
        return rooms.photo_from_bytes(sys.stdin.buffer.read(), _("standard input"))
    return rooms.open_photo(Path(path))


def _photos_of(name: str) -> list[str]:
    """The path itself, or of a folder the photos in it in the order in which a person counts. Raises PhotoError."""
    folder = Path(name)
    if name == STANDARD_INPUT or not folder.is_dir():
        return [name]
    from app.imaging.find import SUFFIXES, first_photo, natural_order

    first_photo(folder)  # raises when there is none, or when looking is not permitted
    found = [one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")]
    return list(map(str, sorted(found, key=natural_order)))
