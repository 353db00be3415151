"""From samples to pixel columns: what a curve is at every step of the screen, with its spikes kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.ui.charts.buffer import BIN_NS, Clock, LaneBuffer


@dataclass(frozen=True)
class Columns:
    """One curve, a value per column, nan where there is none. All arrays have the same length."""

    low: np.ndarray
    middle: np.ndarray
    """The curve itself: the median of the column's samples, a straight line between columns that have some."""
    high: np.ndarray
    warmup: np.ndarray
    breaks: np.ndarray
    """bool: not connected to the column before."""
    first: int = 0
    """Running number of the first column since time began: keeps dashes fixed to the curve while it scrolls."""


@dataclass(frozen=True)
class Span:
    """The stretch of time that the columns divide: `count` columns of `column_ns` from `start_ns` on."""

    start_ns: int
    column_ns: int
    count: int


def span(start_ns: int, end_ns: int, most: int) -> Span:
    """At most `most` columns that end at `end_ns`: whole bins, aligned to them, unless shorter than a bin."""
    column_ns = max(1, -(-(end_ns - start_ns) // most))
    if column_ns > BIN_NS // 2:
        column_ns = -(-column_ns // BIN_NS) * BIN_NS
    last = end_ns // column_ns
    count = max(1, round((end_ns - start_ns) / column_ns))
    return Span((last - count) * column_ns, column_ns, count)


def latency_columns(lane: LaneBuffer, clock: Clock, where: Span) -> Columns:
    """A lane's latency in ms. From the single samples where they are still kept and columns are shorter than a bin."""
    raw = lane.raw.rows()
    if where.column_ns < BIN_NS and len(raw) and raw["end_ns"][0] <= where.start_ns:
        rows = _around(raw, raw["end_ns"], where.start_ns, where.start_ns + where.count * where.column_ns)
        value = rows[clock.value]
        return _columns(rows["end_ns"], (value, value, value), rows["warmup"], rows["gap"], where)
    bins = lane.bins.rows()
    first, last = where.start_ns // BIN_NS, (where.start_ns + where.count * where.column_ns) // BIN_NS
    rows = _around(bins, bins["bin"], first, last)
    values = rows[clock.value]
    middle_ns = rows["bin"] * BIN_NS + BIN_NS // 2
    return _columns(middle_ns, (values[:, 0], values[:, 1], values[:, 2]), rows["warmup"], rows["gap"], where)


def memory_columns(lane: LaneBuffer, kind: str, where: Span) -> Columns:
    """One kind of a lane's memory in MB."""
    rows = lane.memory.rows()
    rows = _around(rows, rows["at_ns"], where.start_ns, where.start_ns + where.count * where.column_ns)
    rows = rows[np.isfinite(rows[kind]) | rows["gap"]]
    value = rows[kind]
    return _columns(rows["at_ns"], (value, value, value), np.zeros(len(rows), bool), rows["gap"], where)


def _around(rows: np.ndarray, position: np.ndarray, first: int, last: int) -> np.ndarray:
    """The rows from `first` to `last` and one more on either side, so that the curve reaches the edges."""
    start, stop = np.searchsorted(position, (first, last))
    return rows[max(0, start - 1) : stop + 1]


def _columns(
    at_ns: np.ndarray,
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    warmup: np.ndarray,
    gap: np.ndarray,
    where: Span,
) -> Columns:
    """Group rows by column. `values` are lowest, middle, highest of each row."""
    count, first = where.count, where.start_ns // where.column_ns
    empty = np.full(count, np.nan)
    if not len(at_ns):
        none = np.zeros(count, bool)
        return Columns(empty, empty, empty, none, none, first)
    column = (at_ns - where.start_ns) // where.column_ns
    starts = np.concatenate(([0], np.flatnonzero(column[1:] != column[:-1]) + 1))
    at = column[starts]
    gap_at = np.logical_or.reduceat(gap, starts)
    middle = np.add.reduceat(values[1], starts, dtype=np.float64) / np.diff(np.concatenate((starts, [len(column)])))
    steps = np.arange(count)
    following = np.searchsorted(at, steps)  # the group in this column or after it
    inside = (following < len(at)) & (steps >= at[0])
    following = np.minimum(following, len(at) - 1)
    has_samples = at[following] == steps
    shown = inside & (has_samples | ~gap_at[following])
    return Columns(
        low=np.where(has_samples, np.minimum.reduceat(values[0], starts)[following], np.nan),
        middle=np.where(shown, np.interp(steps, at, middle), np.nan),
        high=np.where(has_samples, np.maximum.reduceat(values[2], starts)[following], np.nan),
        warmup=np.logical_or.reduceat(warmup, starts)[following] & shown,
        breaks=has_samples & gap_at[following],
        first=first,
    )
