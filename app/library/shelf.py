"""The user's library of models: copies of what they imported, one folder each, with a page that describes it.

    library/0123456789abcdef/Face.mlmodel      the first 16 digits of the SHA-256 over the model's files
    library/0123456789abcdef/page.json
    library/.removed/…                         what was removed and can be had back
    library/.arriving-…/                       an import on its way

A folder is moved in and out in one step, so a reader sees a whole model or none. Nothing here opens a model.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from app.errors import ModelAmbiguous, ModelMissing, NameTaken, storage_error
from app.library.built_in import built_in_models
from app.library.card import ModelCard, Obstacle
from app.paths import data_folder

log = logging.getLogger(__name__)

_PAGE = "page.json"
_REMOVED = ".removed"
_ENDINGS = (".mlpackage", ".mlmodel")
_KEPT_S = 7 * 24 * 3600
"""How long a removed model can be had back."""


@dataclass(frozen=True)
class Page:
    """What is known of a model since its import."""

    name: str
    """As the lists show it; nobody else's."""
    file: str
    """Name of the .mlpackage or .mlmodel beside the page."""
    added: float
    """Seconds since 1970."""
    source: str
    """Where it was imported from."""
    digest: str
    kind: str
    colour: str
    width: int | None
    height: int | None
    size_bytes: int
    weights: str
    crop_fraction: float
    interpolation: str
    obstacles: tuple[Obstacle, ...] = ()


def cards() -> list[ModelCard]:
    """The models of the library in the order of importing."""
    return [_card(folder, page) for folder, page in _pages(_root())]


def removed_cards() -> list[ModelCard]:
    """What was removed and can be had back, the last one first."""
    return [_card(folder, page) for folder, page in reversed(_pages(_root() / _REMOVED))]


def folder_of(digest: str) -> Path:
    """Where a model with this digest has its place, whether it is there or not."""
    return _root() / digest[:16]


def free_name(wanted: str) -> str:
    """`wanted`, or with a number behind it when another model has that name."""
    taken = _taken(cards())
    number, name = 2, wanted
    while name.casefold() in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def put(arriving: Path, page: Page) -> ModelCard:
    """Move the folder `arriving`, which holds the model, to its place. Raises StorageError."""
    place = folder_of(page.digest)
    try:
        _write(arriving, page)
        os.rename(arriving, place)
    except OSError as error:
        raise storage_error(place, error) from error
    return _card(place, page)


def arriving_folder() -> Path:
    """A new empty folder beside the models for one that is being copied. Raises StorageError."""
    folder = _root() / f".arriving-{os.getpid()}-{time.time_ns()}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder


def rename(card: ModelCard, name: str) -> ModelCard:
    """The card under another name. Raises NameTaken, ModelMissing, StorageError."""
    name = " ".join(name.split())
    others = [one for one in cards() if one.path != card.path]
    # A slash or an ending would make -m take it for a path.
    if not name or name.casefold() in _taken(others) or "/" in name or name.lower().endswith(_ENDINGS):
        raise NameTaken(name=name)
    folder = card.path.parent
    page = _read(folder)
    if page is None:
        raise ModelMissing(model=card.name, known=tuple(one.name for one in others))
    page = replace(page, name=name)
    try:
        _write(folder, page)
    except OSError as error:
        raise storage_error(folder, error) from error
    return _card(folder, page)


def remove(card: ModelCard) -> None:
    """Take the model out of the library; `restore` brings it back within a week. Raises StorageError."""
    _forget_old()
    _move(card.path.parent, _root() / _REMOVED / card.path.parent.name)


def restore(card: ModelCard) -> ModelCard:
    """Bring back a model that was removed, under a free name. Raises ModelMissing, StorageError."""
    removed, place = _root() / _REMOVED / card.path.parent.name, _root() / card.path.parent.name
    page = _read(removed)
    if page is None:
        if (present := _read(place)) is not None:
            return _card(place, present)
        raise ModelMissing(model=card.name, known=tuple(one.name for one in cards()))
    name = free_name(page.name)
    _move(removed, place)
    back = _card(place, page)
    return back if name == page.name else rename(back, name)


def find_removed(name: str) -> ModelCard:
    """The removed model of that name or that begins so. Raises ModelMissing, ModelAmbiguous."""
    known = removed_cards()
    same = [card for card in known if card.name.casefold() == name.casefold()]
    begins = same[:1] or [card for card in known if card.name.casefold().startswith(name.casefold())]
    if len(begins) > 1:
        raise ModelAmbiguous(model=name, matches=tuple(card.name for card in begins))
    if not begins:
        raise ModelMissing(model=name, known=tuple(card.name for card in known))
    return begins[0]


def _taken(others: list[ModelCard]) -> set[str]:
    """The names that another model goes by, built-in ones by id and name."""
    return {name.casefold() for card in (*others, *built_in_models()) for name in (card.id, card.name)}


def _root() -> Path:
    return data_folder("library")


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        os.rename(source, target)
    except OSError as error:
        raise storage_error(source, error) from error


def _forget_old() -> None:
    """Delete what was removed long ago, and imports that were cut off."""
    for folder in [*(_root() / _REMOVED).glob("*"), *_root().glob(".arriving-*")]:
        try:
            if time.time() - folder.stat().st_ctime > _KEPT_S:
                shutil.rmtree(folder)
        except OSError as error:
            log.warning("%s stays: %s", folder, error)


def _pages(folder: Path) -> list[tuple[Path, Page]]:
    """The folders that hold a model, oldest first; one whose page cannot be read is logged and left alone."""
    try:
        folders = [one for one in folder.iterdir() if not one.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("The library cannot be read: %s", error)
        return []
    found = [(one, page) for one in folders if (page := _read(one)) is not None]
    return sorted(found, key=lambda row: (row[1].added, row[1].name))


def _read(folder: Path) -> Page | None:
    try:
        return msgspec.json.decode((folder / _PAGE).read_bytes(), type=Page)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("The library's page %s cannot be read: %s", folder / _PAGE, error)
        return None


def _write(folder: Path, page: Page) -> None:
    temporary = folder / f"{_PAGE}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(page), indent=1))
    os.replace(temporary, folder / _PAGE)


def _card(folder: Path, page: Page) -> ModelCard:
    path = folder / page.file
    return ModelCard(
        id=page.name,
        name=page.name,
        path=path,
        weights=page.weights,
        size_bytes=page.size_bytes,
        width=page.width,
        height=page.height,
        crop_fraction=page.crop_fraction,
        interpolation=page.interpolation,
        built_in=False,
        kind=page.kind,
        colour=page.colour,
        obstacles=page.obstacles,
        missing=not path.exists(),
    )
