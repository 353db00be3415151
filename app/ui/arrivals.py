"""Models on their way into the library: one after the other, away from the window's thread. No widgets."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from app.errors import AppError, Cancelled
from app.ui.errand import Errand

if TYPE_CHECKING:
    from app.library.importing import Imported

CLOSE_WITHIN_S = 1.0


class TakeIn(Protocol):
    """What is needed of `library.importing.import_model`."""

    def __call__(self, path: Path, *, on_progress: Callable[[int, int], None], cancel: threading.Event) -> Imported: ...


def take_in(path: Path, *, on_progress: Callable[[int, int], None], cancel: threading.Event) -> Imported:
    """The real import. Takes seconds; raises AppError."""
    from app.library.importing import import_model

    return import_model(path, on_progress=on_progress, cancel=cancel)


@dataclass(frozen=True)
class Arrival:
    """One model on its way. All bytes done: it is being looked at."""

    name: str
    done_bytes: int = 0
    total_bytes: int = 0
    number: int = 1
    """Which one of `of`, that were asked for while others were on their way."""
    of: int = 1

    @property
    def is_copied(self) -> bool:
        return self.total_bytes > 0 and self.done_bytes >= self.total_bytes


class Arrivals(QObject):
    """`progressed(Arrival or None)`, `arrived(Imported)`, `refused(AppError)`: in the window's thread."""

    progressed = Signal(object)
    arrived = Signal(object)
    refused = Signal(object)
    _copied = Signal(int, object, object)  # bytes may be more than an int of Qt's

    def __init__(self, take_in: TakeIn = take_in, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._take_in = take_in
        self._waiting: deque[Path] = deque()
        self._current: Arrival | None = None
        self._ticket = 0
        self._cancel = threading.Event()
        self._errand = Errand("import", self)
        self._errand.done.connect(self._on_done)
        self._errand.failed.connect(self._on_failed)
        self._copied.connect(self._on_copied)

    @property
    def current(self) -> Arrival | None:
        """What is on its way now."""
        return self._current

    def ask(self, paths: Iterable[Path]) -> None:
        """Bring in these after those that are on their way already."""
        self._waiting.extend(paths)
        if self._current is None:
            self._next(1)
        else:
            self._show(self._current.done_bytes, self._current.total_bytes)

    def cancel(self) -> None:
        """Give up the one on its way and those behind it."""
        self._waiting.clear()
        self._cancel.set()

    def close(self) -> None:
        """Give up everything and wait shortly, so that nothing half copied is left."""
        self.cancel()
        self._errand.close()
        self._errand.wait(CLOSE_WITHIN_S)

    def _next(self, number: int) -> None:
        if not self._waiting:
            self._current = None
            self.progressed.emit(None)
            return
        path, self._cancel = self._waiting.popleft(), threading.Event()
        cancel, ticket = self._cancel, self._ticket + 1
        self._ticket = ticket
        self._current = Arrival(path.name, number=number)
        self._show(0, 0)
        told = _Seldom(lambda done, of: self._copied.emit(ticket, done, of))
        self._errand.ask(lambda: self._take_in(path, on_progress=told, cancel=cancel))

    def _show(self, done: int, total: int) -> None:
        if self._current is not None:
            number = self._current.number
            self._current = Arrival(self._current.name, done, total, number, number + len(self._waiting))
            self.progressed.emit(self._current)

    def _on_copied(self, ticket: int, done: int, total: int) -> None:
        if ticket == self._ticket:
            self._show(done, total)

    def _on_done(self, _ticket: int, imported: Imported) -> None:
        self.arrived.emit(imported)
        self._next(self._number_behind())

    def _on_failed(self, _ticket: int, error: AppError) -> None:
        if not isinstance(error, Cancelled):
            self.refused.emit(error)
        self._next(self._number_behind())

    def _number_behind(self) -> int:
        return self._current.number + 1 if self._current is not None else 1


class _Seldom:
    """Hands on a hundred steps at most, however many small files a package has."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._told = -1

    def __call__(self, done: int, of: int) -> None:
        step = 100 * done // max(1, of)
        if step != self._told:
            self._told = step
            self._tell(done, of)
