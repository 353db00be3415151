"""Looks into the chosen model and at where its time goes, by asking a process of their own. No widgets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal

from app.engine.targets import Precision
from app.errors import AppError, Cancelled
from app.ui.errand import Errand

if TYPE_CHECKING:
    from app.compiler.inspection.report import Inspection
    from app.compiler.profile_report import Profile

ROUNDS = 20
CLOSE_WITHIN_S = 1.0


class Inquiry(Protocol):
    """What is needed of `engine.inquiry`."""

    def inspect(self, path: Path, function: str | None = None, *, cancel: threading.Event) -> Inspection: ...

    def profile(
        self,
        path: Path,
        target_id: str,
        precision: Precision,
        *,
        function: str | None,
        rounds: int,
        on_round: Callable[[int, int], None],
        cancel: threading.Event,
    ) -> Profile: ...


class EngineInquiry:
    """The real one, imported when it is first asked: the window is painted before that."""

    def inspect(self, path: Path, function: str | None = None, *, cancel: threading.Event) -> Inspection:
        from app.engine import inquiry

        return inquiry.inspect(path, function, cancel=cancel)

    def profile(self, path: Path, target_id: str, precision: Precision, **how: Any) -> Profile:
        from app.engine import inquiry

        return inquiry.profile(path, target_id, precision, **how)


@dataclass(frozen=True)
class Question:
    """What is looked at. `function` None: the file's default."""

    path: Path
    function: str | None = None


@dataclass(frozen=True)
class ProfileWish:
    """Where the time is to be taken."""

    target_id: str
    precision: Precision


@dataclass(frozen=True)
class Look:
    """Where one inquiry stands: on its way while `began_s` is set, then an answer, an error, or cancelled."""

    began_s: float | None = None
    """time.monotonic()"""
    done: int = 0
    of: int = 0
    answer: Any = None
    error: AppError | None = None
    cancelled: bool = False

    @property
    def is_busy(self) -> bool:
        return self.began_s is not None


class Inspector(QObject):
    """`changed` tells of the inspection, `profile_changed` of the profile of the same model and function."""

    changed = Signal()
    profile_changed = Signal()
    _round = Signal(int, int, int)

    def __init__(self, inquiry: Inquiry | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inquiry = inquiry or EngineInquiry()
        self.question: Question | None = None
        self.inspection = Look()
        self.profile = Look()
        self.profile_wish: ProfileWish | None = None
        """What the profile that is shown or on its way was taken with."""
        self._inspecting, self._cancel_inspecting = Errand("inspect", self), threading.Event()
        self._profiling, self._cancel_profiling = Errand("profile", self), threading.Event()
        self._inspect_ticket = self._profile_ticket = 0
        self._inspecting.done.connect(self._on_inspected)
        self._inspecting.failed.connect(self._on_not_inspected)
        self._profiling.done.connect(self._on_profiled)
        self._profiling.failed.connect(self._on_not_profiled)
        self._round.connect(self._on_round)

    def look_at(self, path: Path, function: str | None = None) -> None:
        """Look into this model; nothing happens when that was done already."""
        if Question(path, function) != self.question:
            self.question = Question(path, function)
            self.look_again()

    def look_again(self) -> None:
        """After an error, a change of the file or a cancelled inspection."""
        if self.question is None:
            return
        self._cancel_inspecting.set()
        self._cancel_inspecting = cancel = threading.Event()
        self._forget_profile()
        question = self.question
        self._inspect_ticket = self._inspecting.ask(
            lambda: self._inquiry.inspect(question.path, question.function, cancel=cancel)
        )
        self._set_inspection(Look(began_s=time.monotonic()))

    def cancel_look(self) -> None:
        self._cancel_inspecting.set()

    def take_profile(self, wish: ProfileWish) -> None:
        """Time the model that is looked at, instead of a profile on its way."""
        if self.question is None:
            return
        self._cancel_profiling.set()
        self._cancel_profiling = cancel = threading.Event()
        question, ticket = self.question, self._profile_ticket + 1

        def work() -> Profile:
            return self._inquiry.profile(
                question.path,
                wish.target_id,
                wish.precision,
                function=question.function,
                rounds=ROUNDS,
                on_round=lambda done, of: self._round.emit(ticket, done, of),
                cancel=cancel,
            )

        self.profile_wish = wish
        self._profile_ticket = self._profiling.ask(work)
        self._set_profile(Look(began_s=time.monotonic()))

    def cancel_profile(self) -> None:
        self._cancel_profiling.set()

    def close(self) -> None:
        """End the processes that still look; waits shortly."""
        self._cancel_inspecting.set()
        self._cancel_profiling.set()
        for errand in (self._inspecting, self._profiling):
            errand.close()
            errand.wait(CLOSE_WITHIN_S)

    def _forget_profile(self) -> None:
        self._cancel_profiling.set()
        self.profile_wish = None
        self._set_profile(Look())

    def _set_inspection(self, look: Look) -> None:
        self.inspection = look
        self.changed.emit()

    def _set_profile(self, look: Look) -> None:
        self.profile = look
        self.profile_changed.emit()

    def _on_inspected(self, ticket: int, found: Inspection) -> None:
        if ticket == self._inspect_ticket:
            self._set_inspection(Look(answer=found))

    def _on_not_inspected(self, ticket: int, error: AppError) -> None:
        if ticket == self._inspect_ticket:
            cancelled = isinstance(error, Cancelled)
            self._set_inspection(Look(cancelled=cancelled, error=None if cancelled else error))

    def _on_round(self, ticket: int, done: int, of: int) -> None:
        if ticket == self._profile_ticket and self.profile.is_busy:
            self._set_profile(replace(self.profile, done=done, of=of))

    def _on_profiled(self, ticket: int, found: Profile) -> None:
        if ticket == self._profile_ticket and self.profile.is_busy:
            self._set_profile(Look(answer=found))

    def _on_not_profiled(self, ticket: int, error: AppError) -> None:
        if ticket == self._profile_ticket and self.profile.is_busy:
            cancelled = isinstance(error, Cancelled)
            self._set_profile(Look(cancelled=cancelled, error=None if cancelled else error))
