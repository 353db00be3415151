"""Standard output for tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.visible import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120
"""A file or a pipe has no width of its own, and 80 columns would fold labels for nobody's good."""

USUAL_WIDTH = 80
"""Where COLUMNS says nothing sensible."""

LEAST_TABLE_WIDTH = 60
"""Below, values stand one below the other."""


def screen() -> Console:
    """A console on the present standard output: colour only on a terminal and without NO_COLOR, names never markup."""
    from rich.console import Console
    from rich.text import Text

    class Plain(Console):
        """Writes control characters out, which names in a file may hold."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(visible(text, keep="\n"), **options)

    return Plain(width=_width(), markup=False, emoji=False, highlight=False)


def _width() -> int | None:
    """Columns to fill; None leaves it to the terminal."""
    wanted = os.environ.get("COLUMNS")
    if wanted is None:
        return None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    try:
        return int(wanted) if int(wanted) > 0 else USUAL_WIDTH
    except ValueError:
        return USUAL_WIDTH


def fits(out: Console, table: Table) -> bool:
    """Whether the table can be shown without breaking a word or cutting a figure."""
    from rich.measure import Measurement

    least = Measurement.get(out, out.options.update_width(10_000), table).minimum
    return out.width >= LEAST_TABLE_WIDTH and least <= out.width


def print_stacked(out: Console, heading: str, rows: Iterable[tuple[str, str]]) -> None:
    """A table's row for a narrow terminal: its heading, then one line a value."""
    from rich.cells import cell_len

    shown = [(name, value.replace("\n", "  ")) for name, value in rows]
    widest = max(cell_len(name) for name, _value in shown)
    out.print(heading, soft_wrap=True)
    for name, value in shown:
        out.print(f"  {name}{' ' * (widest - cell_len(name))}  {value}", soft_wrap=True)


def print_photo_line(out: Console, photo: str, notes: Iterable[str]) -> None:
    """What photo it is, on a line of its own whatever its length, and what was converted while it was read."""
    from app.imaging.notes import note_text

    said = " · ".join(map(note_text, notes))
    out.print(f"{photo}  ({said})" if said else photo, style="bold", soft_wrap=True)


def table(*headings: str) -> Table:
    """An empty table in our look: a line under the headings, none around; paths and labels fold, nothing is cut."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made
