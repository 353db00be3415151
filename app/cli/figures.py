"""Figures as text for a person: at most three significant digits, with their unit."""

from __future__ import annotations

from app.i18n import _


def figure(value: float) -> str:
    """1.23, 12.3, 123, 1,230: three significant digits, thousands with a comma."""
    if abs(value) >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:#.3g}"


def milliseconds(value: float | None) -> str:
    """ "12.3 ms" """
    return _("{figure} ms").format(figure=figure(value)) if value is not None else not_known()


def percent(share: float) -> str:
    """ "81.2 %", as the window shows it."""
    return f"{100 * share:.1f} %"


def size(count_bytes: int | None) -> str:
    """ "118 MB", in powers of ten as macOS and disks count."""
    if count_bytes is None:
        return not_known()
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count_bytes >= scale:
            return f"{figure(count_bytes / scale)} {unit}"
    return _("{count} bytes").format(count=count_bytes)


def memory_size(count_bytes: int) -> str:
    """ "64.0 GB" of memory, which is built and sold in powers of two."""
    return f"{figure(count_bytes / 2**30)} GB"


def not_known() -> str:
    """What stands where a figure would be that nobody has."""
    return "–"
