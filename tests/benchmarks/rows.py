"""What one benchmark says: a figure, its bound, and whether the bound is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Status = Literal["pass", "miss", "reported", "not measured"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `value` has the unit that `unit` names; "×" is a ratio."""

    name: str
    what: str
    status: Status
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    """95 % interval of `value`, where it is a ratio."""
    bound: float | None = None
    """Largest `value` that passes; None when the row only reports."""
    note: str = ""
    detail: Mapping[str, Any] = {}
    """What the figure was made of."""


def measured(name: str, what: str, value: float, unit: str, bound: float | None = None, **more: Any) -> Row:
    """A row with a figure; it passes when it is at most the bound."""
    status: Status = "reported" if bound is None else "pass" if value <= bound else "miss"
    return Row(name=name, what=what, status=status, value=value, unit=unit, bound=bound, **more)


def not_measured(name: str, what: str, why: str) -> Row:
    """A row without a figure, and the reason."""
    return Row(name=name, what=what, status="not measured", note=why)
