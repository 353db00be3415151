"""Standard output for tables."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120
"""A file or a pipe has no width of its own, and 80 columns would fold labels for nobody's good."""


def screen() -> Console:
    """A console on the present standard output: colour only on a terminal and without NO_COLOR, names never markup."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_WITHOUT_TERMINAL
    return Console(width=width, markup=False, emoji=False, highlight=False)


def table(*headings: str, title: str | None = None) -> Table:
    """An empty table in our look: a line under the headings, none around; paths and labels fold, nothing is cut."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made
