"""From samples to pixel columns: what a curve is at every step of the screen, with its spikes kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.ui.charts.buffer import BIN_NS, Clock, LaneBuffer


@dataclass(frozen=True)
class Line:
    """One curve, a value per column, nan where there is none. All arrays have the same length."""

    middle: np.ndarray
    """The curve itself: the mean of the column's values, a straight line between columns that have some."""
    breaks: np.ndarray
    """bool: not connected to the column before."""
    first: int
    """Running number of the first column since time began: keeps dashes fixed to the curve while it scrolls."""


@dataclass(frozen=True)
class Columns(Line):
    """A curve with its spikes; `middle` is made of medians."""

    low: np.ndarray
    high: np.ndarray
    warmup: np.ndarray


@dataclass(frozen=True)
class Span:
    """The stretch of time that the columns divide: `count` columns of `column_ns` from `start_ns` on."""

    start_ns: int
    column_ns: int
    count: int

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.count * self.column_ns

    @property
    def first(self) -> int:
        """Running number of the first column since time began."""
        return self.start_ns // self.column_ns


def span(start_ns: int, end_ns: int, most: int) -> Span:
    """At most `most` columns that end at `end_ns`: whole bins, aligned to them, unless shorter than a bin."""
    column_ns = max(1, -(-(end_ns - start_ns) // most))
    if column_ns > BIN_NS // 4:  # a bin that is up to four device pixels wide still makes a curve
        column_ns = -(-column_ns // BIN_NS) * BIN_NS
    last = end_ns // column_ns
    count = max(1, round((end_ns - start_ns) / column_ns))
    return Span((last - count) * column_ns, column_ns, count)


def latency_columns(lane: LaneBuffer, clock: Clock, where: Span) -> Columns:
    """A lane's latency in ms. From the single samples where they are still kept and columns are shorter than a bin."""
    raw = lane.raw.rows()
    if where.column_ns < BIN_NS and len(raw) and raw["end_ns"][0] <= where.start_ns:
        rows = _around(raw, raw["end_ns"], where.start_ns, where.end_ns)
        groups = _Groups(rows["end_ns"], rows["gap"], where)
        low = middle = high = rows[clock.value]
    else:
        bins = lane.bins.rows()
        rows = _around(bins, bins["bin"], where.start_ns // BIN_NS, where.end_ns // BIN_NS)
        groups = _Groups(rows["bin"] * BIN_NS + BIN_NS // 2, rows["gap"], where)
        low, middle, high = rows[clock.value].T
    return Columns(
        low=groups.lowest(low),
        middle=groups.line(middle),
        high=groups.highest(high),
        warmup=groups.any(rows["warmup"]),
        breaks=groups.breaks,
        first=where.first,
    )


def memory_lines(lane: LaneBuffer, kinds: Sequence[str], where: Span) -> dict[str, Line]:
    """The wanted kinds of a lane's memory in MB."""
    rows = lane.memory.rows()
    rows = _around(rows, rows["at_ns"], where.start_ns, where.end_ns)
    groups = _Groups(rows["at_ns"], rows["gap"], where)
    return {kind: Line(groups.line(rows[kind]), groups.breaks, where.first) for kind in kinds}


def _around(rows: np.ndarray, position: np.ndarray, first: int, last: int) -> np.ndarray:
    """The rows from `first` to `last` and one more on either side, so that the curve reaches the edges."""
    start, stop = np.searchsorted(position, (first, last))
    return rows[max(0, start - 1) : stop + 1]


class _Groups:
    """Rows grouped by the column in which they lie; each method turns a value a row into a value a column."""

    def __init__(self, at_ns: np.ndarray, gap: np.ndarray, where: Span) -> None:
        self._count = where.count
        self.breaks = np.zeros(where.count, bool)
        self._empty = not len(at_ns)
        if self._empty:
            return
        column = (at_ns - where.start_ns) // where.column_ns
        self._starts = np.concatenate(([0], np.flatnonzero(column[1:] != column[:-1]) + 1))
        self._sizes = np.diff(self._starts, append=len(column))
        self._at = column[self._starts]
        self._steps = np.arange(where.count)
        after = np.searchsorted(self._at, self._steps)  # the group in this column or after it
        inside = (after < len(self._at)) & (self._steps >= self._at[0])
        self._group = np.minimum(after, len(self._at) - 1)
        self._filled = self._at[self._group] == self._steps
        gap_before = np.logical_or.reduceat(gap, self._starts)[self._group]
        self._shown = inside & (self._filled | ~gap_before)
        self.breaks = self._filled & gap_before

    def lowest(self, values: np.ndarray) -> np.ndarray:
        """Smallest value of each column, nan where there is none."""
        return self._spread(np.minimum, values)

    def highest(self, values: np.ndarray) -> np.ndarray:
        """Largest value of each column, nan where there is none."""
        return self._spread(np.maximum, values)

    def line(self, values: np.ndarray) -> np.ndarray:
        """Mean of each column, a straight line over columns without rows, nan over gaps."""
        if self._empty:
            return np.full(self._count, np.nan)
        mean = np.add.reduceat(values, self._starts, dtype=np.float64) / self._sizes
        return np.where(self._shown, np.interp(self._steps, self._at, mean), np.nan)

    def any(self, values: np.ndarray) -> np.ndarray:
        """bool per column: true for a row of it, or for the next row where the line passes through."""
        if self._empty:
            return np.zeros(self._count, bool)
        return np.logical_or.reduceat(values, self._starts)[self._group] & self._shown

    def _spread(self, reduce: np.ufunc, values: np.ndarray) -> np.ndarray:
        if self._empty:
            return np.full(self._count, np.nan)
        return np.where(self._filled, reduce.reduceat(values, self._starts)[self._group], np.nan)
