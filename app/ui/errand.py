"""Things that take a while, done away from the window's thread; one result comes back as a signal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.errors import AppError, InternalError

log = logging.getLogger(__name__)


class Errand(QObject):
    """Does the newest of the things asked for; what was asked before and not begun yet is dropped.

    `done(ticket, result)` and `failed(ticket, AppError)` are emitted in the errand's own thread. That thread is a
    daemon: what cannot be interrupted, such as decoding a large photo, does not hold up the end of the program.
    """

    done = Signal(int, object)
    failed = Signal(int, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._wake = threading.Condition()
        self._wanted: tuple[int, Callable[[], Any]] | None = None
        self._newest = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def ask(self, work: Callable[[], Any]) -> int:
        """Do `work` soon, instead of anything asked before; returns its ticket."""
        with self._wake:
            self._newest += 1
            self._wanted = (self._newest, work)
            self._wake.notify()
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._work, name=self.objectName(), daemon=True)
                self._thread.start()
            return self._newest

    def is_newest(self, ticket: int) -> bool:
        """False for a result that was overtaken while it was on its way."""
        return ticket == self._newest

    def close(self) -> None:
        """Deliver nothing more; returns at once."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def wait(self, seconds: float) -> None:
        """After `close`: until what was begun has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        while (asked := self._next()) is not None:
            ticket, work = asked
            try:
                result = work()
            except AppError as error:
                self._tell(self.failed, ticket, error)
            except Exception as error:
                log.exception("%s", self.objectName())
                self._tell(self.failed, ticket, InternalError(cause=repr(error)))
            else:
                self._tell(self.done, ticket, result)

    def _next(self) -> tuple[int, Callable[[], Any]] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._wanted is not None)
            asked, self._wanted = self._wanted, None
            return None if self._closing else asked

    def _tell(self, signal: Any, ticket: int, value: object) -> None:
        # Under the lock, so that close() returns only when nothing is being delivered any more.
        with self._wake:
            if not self._closing:
                signal.emit(ticket, value)
