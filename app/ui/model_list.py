"""The models that can be chosen, and the one that is: imported, renamed, removed and brought back. No widgets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.errors import AppError
from app.settings import Settings
from app.ui.arrivals import Arrivals

if TYPE_CHECKING:
    from app.library.card import ModelCard
    from app.library.importing import Imported


class ModelList(QObject):
    """`chosen` also when the chosen model has another name; `was_there` for a model that the library has already."""

    chosen = Signal(object)
    changed = Signal()
    removed = Signal(object)
    was_there = Signal(object)
    complaint = Signal(object)

    def __init__(self, settings: Settings, arrivals: Arrivals, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.arrivals = arrivals
        self._settings = settings
        self._cards: list[ModelCard] = []
        self._model: ModelCard | None = None
        arrivals.arrived.connect(self._on_arrived)
        arrivals.refused.connect(self.complaint)

    @property
    def model(self) -> ModelCard | None:
        return self._model

    def cards(self) -> list[ModelCard]:
        return list(self._cards)

    def start(self) -> None:
        """Load the list and choose last time's model."""
        self.reload()
        remembered = self._settings.get("model")
        wanted = next((card for card in self._cards if remembered in (_key(card), card.id)), None)
        card = wanted or next(iter(self._cards), None)
        if card is not None:
            self.choose(card)

    def choose(self, card: ModelCard) -> None:
        if self._model is None or card.path != self._model.path:
            self._take(card)

    def add(self, paths: Iterable[Path]) -> None:
        """Copy these into the library; the last one that arrives is chosen."""
        self.arrivals.ask(paths)

    def rename(self, card: ModelCard, name: str) -> None:
        """A new name for a model of the library."""
        from app.library import shelf

        try:
            renamed = shelf.rename(card, name)
        except AppError as error:
            self.complaint.emit(error)
            self.changed.emit()  # the old name comes back
            return
        self.reload()
        if self._model is not None and self._model.path == card.path:
            self._take(renamed)

    def remove(self, card: ModelCard) -> None:
        """Take a model out of the library, or a linked one off the list; `bring_back` undoes it."""
        from app.library import catalog, shelf

        try:
            (catalog.forget_model if card.linked else shelf.remove)(card)
        except AppError as error:
            self.complaint.emit(error)
            return
        self.reload()
        if self._model is not None and self._model.path == card.path and self._cards:
            self.choose(self._cards[0])
        self.removed.emit(card)

    def bring_back(self, card: ModelCard) -> None:
        """Undo `remove`; the model is chosen again."""
        from app.library import catalog, shelf

        try:
            back = catalog.remember_model(card.path) if card.linked else shelf.restore(card)
        except AppError as error:
            self.complaint.emit(error)
            return
        self.reload()
        self.choose(back)

    def reload(self) -> None:
        """Read the list again: the shell may have changed the library."""
        from app.library.catalog import models

        try:
            self._cards = models()
        except AppError as error:
            self.complaint.emit(error)
        self.changed.emit()

    def _take(self, card: ModelCard) -> None:
        self._model = card
        self._settings.set("model", _key(card))
        self.chosen.emit(card)

    def _on_arrived(self, imported: Imported) -> None:
        self.reload()
        self.choose(imported.card)
        if imported.was_there:
            self.was_there.emit(imported.card)


def _key(card: ModelCard) -> str:
    """What does not change when a model gets another name or the program another place."""
    return card.id if card.built_in else str(card.path)
