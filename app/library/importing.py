"""The way of a model into the user's library: looked at, copied, inspected, put on the shelf."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.compiler.facts import require_one_image
from app.compiler.inspection.report import Inspection
from app.compiler.reading.package import files_of, open_package
from app.engine import inquiry
from app.errors import AppError, Cancelled, ModelUnreadable, from_wire, storage_error, to_wire
from app.i18n import N_
from app.library import shelf
from app.library.card import ModelCard, Obstacle
from app.library.catalog import model_at

_BLOCK = 4 << 20

Progress = Callable[[int, int], None]
"""Bytes copied, bytes in all."""


@dataclass(frozen=True)
class Imported:
    """`was_there`: the library had the same content already, and nothing was copied."""

    card: ModelCard
    was_there: bool


def import_model(
    path: str | Path, *, on_progress: Progress = lambda done, of: None, cancel: threading.Event | None = None
) -> Imported:
    """Copy a .mlpackage or .mlmodel into the library; the original stays as it is.

    A built-in model, or one that is in the library already, is found there. Raises ModelError when the file is no
    usable model, StorageError, Cancelled; then the library is as it was.
    """
    card = model_at(path)
    if not card.linked:
        return Imported(card, True)
    digest = open_package(card.path).digest
    if (there := _on_the_shelf(digest)) is not None:
        return Imported(there, True)
    arriving = shelf.arriving_folder()
    try:
        copy = arriving / card.path.name
        _copy(card.path, copy, on_progress, cancel or threading.Event())
        inspection = inquiry.inspect(copy, cancel=cancel)
        if inspection.obstacle is not None and inspection.obstacle.error == "ModelUnreadable":
            raise from_wire(inspection.obstacle.error, dict(inspection.obstacle.fields))
        if inspection.facts.digest != digest:
            raise ModelUnreadable(model=card.path.name, cause=N_("it was changed while it was copied"))
        return Imported(shelf.put(arriving, _page(card, inspection)), False)
    except AppError:
        # Two imports of the same file at once: the other one was faster.
        if (there := _on_the_shelf(digest)) is not None:
            return Imported(there, True)
        raise
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _on_the_shelf(digest: str) -> ModelCard | None:
    place = shelf.folder_of(digest)
    return next((card for card in shelf.cards() if card.path.parent == place), None)


def _page(card: ModelCard, found: Inspection) -> shelf.Page:
    facts, image = found.facts, found.facts.image
    return shelf.Page(
        name=shelf.free_name(card.path.stem),
        file=card.path.name,
        added=time.time(),
        source=str(card.path),
        digest=facts.digest,
        kind=facts.kind,
        colour=image.colour if image else "",
        width=image.width if image else None,
        height=image.height if image else None,
        size_bytes=facts.size_bytes,
        weights=found.weights[0].form if found.weights else "",
        crop_fraction=facts.crop_fraction,
        interpolation=facts.interpolation,
        obstacles=tuple(obstacles(found)),
    )


def obstacles(found: Inspection) -> list[Obstacle]:
    """Why the targets of each runtime cannot run the model on a photo."""
    rows = []
    try:
        require_one_image(found.facts)
    except AppError as error:
        rows = [Obstacle(runtime, *to_wire(error)) for runtime in ("mlx", "coreml")]
    if found.obstacle is not None and not rows:
        rows = [Obstacle("mlx", found.obstacle.error, dict(found.obstacle.fields))]
    return rows


def _copy(source: Path, target: Path, on_progress: Progress, cancel: threading.Event) -> None:
    """Copy a file or a package. Links inside are followed, so that the copy stands by itself.

    Raises StorageError, ModelUnreadable, Cancelled.
    """
    try:
        files = [source] if source.is_file() else files_of(source)
        total = sum(file.stat().st_size for file in files)
    except OSError as error:
        raise ModelUnreadable(model=source.name, cause=error.strerror or str(error)) from error
    done = 0
    for file in files:
        place = target if file == source else target / file.relative_to(source)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            stream, copy = file.open("rb"), place.open("wb")
        except OSError as error:
            raise storage_error(place, error) from error
        with stream, copy:
            while block := _read(stream, source):
                if cancel.is_set():
                    raise Cancelled()
                try:
                    copy.write(block)
                except OSError as error:
                    raise storage_error(place, error) from error
                done += len(block)
                on_progress(done, total)


def _read(stream: BinaryIO, source: Path) -> bytes:
    try:
        return stream.read(_BLOCK)
    except OSError as error:
        raise ModelUnreadable(model=source.name, cause=error.strerror or str(error)) from error
