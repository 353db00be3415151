"""The models that a person can choose: those that come with the program, those in their library, and linked ones.

Nothing here opens a model: the built-in ones are described by resources/models/catalog.json, those of the library by
what was found when they were imported (`shelf.py`), and of the others only the file is known until an engine has read
it. So the window can list models without coremltools.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.compiler.reading.package import files_of, refuse_unspeakable
from app.errors import ModelAmbiguous, ModelMissing, ModelUnreadable, UnsupportedModel
from app.i18n import _
from app.library import remembered, shelf
from app.library.built_in import built_in_models
from app.library.card import ModelCard

SUFFIXES = (".mlpackage", ".mlmodel")


def models() -> list[ModelCard]:
    """The built-in models, those of the library in the order of importing, then the linked ones in that of adding.

    A linked model whose file is gone stays in the list with `missing` set: its drive may only be unplugged, and a list
    that shortens by itself explains nothing. It goes when the person removes it. Raises InternalError when our own
    catalogue is damaged.
    """
    linked = [_card_or_missing(Path(path)) for path in remembered.paths()]
    return [*built_in_models(), *shelf.cards(), *linked]


def find_model(name_or_path: str) -> ModelCard:
    """The model that a person means: an id, a path, or a part of an id or name that fits only one model.

    Capitals do not matter, and the beginning of a name goes before its middle. Raises ModelMissing, ModelAmbiguous,
    ModelUnreadable, UnsupportedModel.
    """
    known = models()
    for card in known:
        if name_or_path == card.id:
            return _present(card)
    if Path(name_or_path).suffix.lower() in SUFFIXES or "/" in name_or_path:
        return model_at(name_or_path)
    matches = _matching(name_or_path, known)
    if len(matches) > 1:
        raise ModelAmbiguous(model=name_or_path, matches=tuple(card.id for card in matches))
    if not matches:
        raise ModelMissing(model=name_or_path, known=_known())
    return _present(matches[0])


def model_at(path: str | Path) -> ModelCard:
    """The model in a file or package; `~` and relative paths are understood, so is a path into a package.

    Raises ModelMissing, ModelUnreadable, UnsupportedModel.
    """
    path = _package_around(Path(path).expanduser().absolute())
    refuse_unspeakable(path)
    for card in (*built_in_models(), *shelf.cards()):
        if card.path == path:
            return card
    try:
        size_bytes = _size_bytes(path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the path
        raise ModelMissing(model=str(path), known=_known()) from error
    except OSError as error:
        raise ModelUnreadable(model=path.name, cause=error.strerror or str(error)) from error
    return replace(_unread(path), size_bytes=size_bytes)


def remember_model(path: str | Path) -> ModelCard:
    """Add a model to the list for good; adding it twice changes nothing.

    Raises ModelMissing, ModelUnreadable, UnsupportedModel, StorageError.
    """
    card = model_at(path)
    if card.linked:
        remembered.add(str(card.path))
    return card


def forget_model(card: ModelCard) -> None:
    """Take an added model off the list; its file stays, and so does a built-in model. Raises StorageError."""
    remembered.remove(str(card.path))


def _unread(path: Path) -> ModelCard:
    return ModelCard(
        id=str(path),
        name=path.stem,
        path=path,
        weights="",
        size_bytes=0,
        width=None,
        height=None,
        crop_fraction=1.0,
        interpolation="bilinear",
        built_in=False,
        linked=True,
    )


def _present(card: ModelCard) -> ModelCard:
    """`card`, if its file is there. Raises ModelMissing, and for an added model whatever is wrong with its file."""
    if not card.missing:
        return card
    if card.built_in:
        raise ModelMissing(model=str(card.path), known=_known())
    return model_at(card.path)


def _card_or_missing(path: Path) -> ModelCard:
    try:
        return model_at(path)
    except (ModelMissing, ModelUnreadable, UnsupportedModel):
        return replace(_unread(path), missing=True)


def _known() -> tuple[str, ...]:
    return tuple(card.id for card in (*built_in_models(), *shelf.cards()))


def _matching(part: str, known: list[ModelCard]) -> list[ModelCard]:
    """The cards whose id or name begins with `part`, or if there are none, contains it."""
    part = part.casefold()
    if not part:
        return []
    begins = [card for card in known if any(text.startswith(part) for text in _names(card))]
    return begins or [card for card in known if any(part in text for text in _names(card))]


def _names(card: ModelCard) -> tuple[str, ...]:
    # A linked model's id is a path: parts of folder names must not count as its name.
    return (card.id.casefold(), card.name.casefold()) if not card.linked else (card.name.casefold(),)


def _package_around(path: Path) -> Path:
    """The .mlpackage that `path` is or lies in, else `path`. Off a Mac a package opens like any folder."""
    for folder in (path, *path.parents):
        if folder.suffix.lower() == ".mlpackage":
            return folder
    return path


def _size_bytes(path: Path) -> int:
    """Bytes of a model that looks whole. Raises OSError, ModelUnreadable, UnsupportedModel."""
    stat = path.stat()
    if path.suffix.lower() not in SUFFIXES:
        raise UnsupportedModel(model=path.name, cause=_("it is neither a .mlpackage nor a .mlmodel"))
    if path.suffix.lower() == ".mlmodel":
        if not path.is_file():
            raise ModelUnreadable(model=path.name, cause=_("it is a folder, and a .mlmodel is a file"))
        if stat.st_size == 0:
            raise ModelUnreadable(model=path.name, cause=_("it is empty"))
        return stat.st_size
    if not path.is_dir():
        raise ModelUnreadable(model=path.name, cause=_("it is a file, and a .mlpackage is a folder"))
    if not any(path.iterdir()):
        raise ModelUnreadable(model=path.name, cause=_("it is empty"))
    if not (path / "Manifest.json").is_file():
        raise ModelUnreadable(model=path.name, cause=_("its Manifest.json is missing"))
    return sum(file.stat().st_size for file in files_of(path))
