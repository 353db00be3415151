"""Ranges that rest, and the few ticks of an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_SHRINK_BELOW = 0.6
_SHRINK_AFTER_S = 3.0


@dataclass(frozen=True)
class Tick:
    """`at` is a position in the axis's own units (the logarithm to base 10 on a logarithmic axis)."""

    at: float
    text: str


def nice_above(value: float) -> float:
    """The next round number at or above a positive `value`."""
    decade = 10.0 ** math.floor(math.log10(value))
    # A hair of tolerance: 3.0000000004 is 3.
    return next(step * decade for step in (*_STEPS, 20.0) if step * decade >= value * (1 - 1e-9))


def linear_ticks(low: float, high: float, most: int = 4) -> list[Tick]:
    """Round positions from `low` to `high`, at most `most` + 1 of them, all with the same number of decimals."""
    step = _tick_step((high - low) / most)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1  # 2.5, 0.25
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [
        Tick(number * step, f"{number * step:,.{decimals}f}".replace("-", "−")) for number in range(first, last + 1)
    ]


def log_ticks(low: float, high: float, most: int = 4) -> list[Tick]:
    """Round values between the exponents `low` and `high`: decades where there are enough, else 1, 2, 5 as well."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [
            Tick(math.log10(factor) + decade, f"{factor * 10.0**decade:,.{max(0, -decade)}f}")
            for decade in range(math.floor(low), math.ceil(high) + 1)
            for factor in factors
            if low - 1e-6 <= math.log10(factor) + decade <= high + 1e-6
        ]
        if len(ticks) <= most + 1:
            return ticks
    skip = -(-len(ticks) // (most + 1))
    return ticks[::skip]


def _tick_step(least: float) -> float:
    """The smallest 1, 2, 2.5, 5 × 10ⁿ that is at least `least`."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(step * decade for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * decade >= least * (1 - 1e-9))


class RestingTop:
    """Upper end of a zero-based axis: grows as soon as it must, shrinks only when much smaller would do for a while."""

    def __init__(self, start: float) -> None:
        self._start = start
        self.top = start
        self._small_since_s: float | None = None

    def fit(self, highest: float | None, now_s: float) -> float:
        """The end to draw now. `highest` is the largest value in sight, None when there is none."""
        if highest is None or not math.isfinite(highest) or highest <= 0:
            return self.top
        wanted = nice_above(highest * 1.05)
        if wanted >= self.top * _SHRINK_BELOW and wanted <= self.top:
            self._small_since_s = None
        elif wanted > self.top or self.top == self._start:
            self.top, self._small_since_s = wanted, None
        elif self._small_since_s is None:
            self._small_since_s = now_s
        elif now_s - self._small_since_s >= _SHRINK_AFTER_S:
            self.top, self._small_since_s = wanted, None
        return self.top

    def reset(self) -> None:
        """Start over, for other data."""
        self.top, self._small_since_s = self._start, None


class RestingSpan:
    """Both ends of an axis: moves when data leave it, or when they fill less than half of it for a while."""

    def __init__(self) -> None:
        self._ends: tuple[float, float] | None = None
        self._small_since_s: float | None = None

    def fit(self, low: float, high: float, now_s: float) -> tuple[float, float]:
        """The ends to draw now, for data that want `low` to `high`."""
        if self._ends is None:
            self._ends = (low, high)
        first, last = self._ends
        slack = 0.05 * (high - low)
        if low < first - slack or high > last + slack:
            self._ends, self._small_since_s = (min(low, first), max(high, last)), None
        elif high - low >= (last - first) / 2:
            self._small_since_s = None
        elif self._small_since_s is None:
            self._small_since_s = now_s
        elif now_s - self._small_since_s >= _SHRINK_AFTER_S:
            self._ends, self._small_since_s = (low, high), None
        return self._ends

    def reset(self) -> None:
        """Start over, for other data."""
        self._ends, self._small_since_s = None, None
