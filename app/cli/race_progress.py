"""The progress of a race, on standard error, and only if a person is watching it there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from app.cli.progress import ELAPSED, stage_words
from app.engine.targets import target
from app.i18n import _

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from app.bench.race import RacePlan, RaceProgress

REDRAWN_PER_S = 2
"""Drawing takes processor time that the measured engines may miss."""


class RaceProgressShown(Protocol):
    """Is told every step of a race."""

    measuring: bool
    """Whether a measured block has begun."""

    def tell(self, step: RaceProgress) -> None: ...


@contextmanager
def racing(plan: RacePlan) -> Iterator[RaceProgressShown]:
    """Something to be told the steps of the race; its line on the terminal is gone when the block ends."""
    if not sys.stderr.isatty():
        yield _Unseen()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    words, elapsed = (TextColumn(text, markup=False) for text in ("{task.description}", ELAPSED))
    columns = (words, BarColumn(), MofNCompleteColumn(), elapsed)
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, refresh_per_second=REDRAWN_PER_S) as progress:
        yield _Bar(plan, progress)


class _Unseen:
    """Shows nothing."""

    def __init__(self) -> None:
        self.measuring = False

    def tell(self, step: RaceProgress) -> None:
        """Remember when measuring begins."""
        self.measuring = self.measuring or step.round > 0


class _Bar(_Unseen):
    """One line: what is being done now, and how many blocks of all lanes are done."""

    def __init__(self, plan: RacePlan, progress: Progress) -> None:
        super().__init__()
        self._lanes = [f"{target(lane.target).shown_name} {lane.precision}" for lane in plan.lanes]
        self._progress = progress
        self._task: TaskID = progress.add_task("", total=plan.pace.rounds * len(plan.lanes))

    def tell(self, step: RaceProgress) -> None:
        """Show the step."""
        super().tell(step)
        done = step.step == "measured" and step.round > 0
        self._progress.update(self._task, description=self._words(step), advance=1 if done else 0)

    def _words(self, step: RaceProgress) -> str:
        doing = {
            "loading": stage_words(step.stage or "loading"),
            "loaded": _("ready"),
            "warming-up": _("warming up"),
            "measuring": _("measuring"),
            "measured": _("measuring"),
            "failed": _("failed"),
        }
        return f"{self._lanes[step.lane]}: {doing[step.step]}"
