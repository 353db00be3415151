"""The stretch of time that the charts show."""

from __future__ import annotations

from dataclasses import dataclass

SPANS_S = (30.0, 300.0, 3600.0)


@dataclass
class TimeWindow:
    """Follows the clock while samples come; holds still when they stop, while paused, and while zoomed in.

    Positions on the time axis are seconds relative to `end_ns`, so they are negative and the axis does not move.
    """

    span_s: float = SPANS_S[0]
    end_ns: int = 0
    paused: bool = False
    live: bool = False
    """Samples are coming, `end_ns` is now."""
    zoom: tuple[float, float] | None = None
    """First and last position in sight, when zoomed."""

    def follow(self, now_ns: int, newest_ns: int | None, patience_ns: int) -> None:
        """Move to `now_ns` (perf_counter_ns), unless held or the newest sample is older than `patience_ns`."""
        if self.paused or self.zoom:
            return
        if newest_ns is None:
            self.live, self.end_ns = False, 0
            return
        self.live = now_ns - newest_ns <= patience_ns
        self.end_ns = min(now_ns, newest_ns + patience_ns)

    def range_s(self) -> tuple[float, float]:
        """First and last position in sight."""
        return self.zoom or (-self.span_s, 0.0)

    def range_ns(self) -> tuple[int, int]:
        """The same as perf_counter_ns."""
        first, last = self.range_s()
        return self.end_ns + round(first * 1e9), self.end_ns + round(last * 1e9)

    def in_minutes(self) -> bool:
        """Minutes are the better unit for the axis."""
        first, last = self.range_s()
        return last - first > 120

    def moves(self) -> bool:
        """The right edge is now."""
        return self.live and not self.paused and self.zoom is None
