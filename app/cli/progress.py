"""What is going on, on standard error, and only if a person is watching it there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.i18n import N_, _

STAGES = {
    "reading": N_("reading the model"),
    "compiling": N_("compiling"),
    "loading": N_("loading"),
    "first-inference": N_("first inference"),
}
"""Names of the engine's loading stages (`app.engine.messages.Stage`) -> what to say."""

ELAPSED = "{task.elapsed:.1f} s"
"""Seconds since a task of rich began, as it formats them."""

Teller = Callable[[str], None]


def stage_words(name: str) -> str:
    """What to say for a loading stage; a stage that is new to us by its own name."""
    return _(STAGES[name]) if name in STAGES else name


def stage_teller(shown_name: str, tell: Teller) -> Teller:
    """A function that is told the engine's stages and passes them on as "MLX · CPU: compiling…"."""
    return lambda stage: tell(f"{shown_name}: {stage_words(stage)}…")


@contextmanager
def telling() -> Iterator[Teller]:
    """A function that shows what is being done, with the seconds that it takes; silent when nobody watches.

    The line is gone when the block ends.
    """
    if not sys.stderr.isatty():
        yield lambda _words: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), TextColumn(ELAPSED, markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)

        def tell(words: str) -> None:
            progress.reset(task, description=words, visible=True)

        yield tell


@contextmanager
def counting(words: str) -> Iterator[Callable[[int, int], None]]:
    """A function (done, of) that shows how far `words` has come, with a bar; silent when nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _done, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(ELAPSED, markup=False),
    )
    # Drawn rarely: what is counted may be a measurement.
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=2) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
