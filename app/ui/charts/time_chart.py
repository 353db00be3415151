"""What charts over time share: the axis of seconds ago, and drawing only what moved."""

from __future__ import annotations

import time

from app.i18n import _
from app.ui.charts.axis import Tick, linear_ticks
from app.ui.charts.chart import Chart
from app.ui.charts.columns import Span, span
from app.ui.charts.time_window import TimeWindow

_LAST_COLUMN_EVERY_S = 0.25


class TimeChart(Chart):
    """Base of the latency and the memory chart."""

    y_zoom: tuple[float, float] | None = None
    """What the y axis reaches while zoomed, in axis units."""
    _picture: tuple[object, ...] = ()
    _version = -1
    _drawn_s = 0.0

    def draw(self) -> bool:
        """Draw the curves if they moved by a column; True when something was drawn.

        New samples alone only change the last, unfinished column, for which four times a second is enough.
        """
        where, version, now_s = self.span(), self.recording.version(), time.monotonic()
        picture = (where, self.size(), tuple(self.box.viewRange()[1]))
        held = self.recording.time.paused or version == self._version
        if picture == self._picture and (held or now_s - self._drawn_s < _LAST_COLUMN_EVERY_S):
            return False
        self._picture, self._version, self._drawn_s = picture, version, now_s
        self._draw_curves(where)
        return True

    def draw_again(self) -> None:
        """Draw the curves at the next `draw` even if nothing moved."""
        self._picture = ()

    def span(self) -> Span:
        """The stretch of time in sight, a column a device pixel at most."""
        return span(*self.recording.time.range_ns(), self.device_columns())

    def fit_time_axis(self) -> tuple[float, float]:
        """Set ticks and label of the x axis; returns what it reaches."""
        window = self.recording.time
        self.frame.x_ticks = time_ticks(window)
        self.frame.x_label = time_label(window)
        return window.range_s()

    def column_at(self, x: float, count: int) -> int:
        """The column of `count` that holds the position `x` of the time axis."""
        first, last = self.recording.time.range_s()
        return min(count - 1, max(0, int((x - first) / (last - first) * count)))

    def _draw_curves(self, where: Span) -> None:
        raise NotImplementedError


def time_ticks(window: TimeWindow) -> list[Tick]:
    """Ticks that read "30 20 10 0"."""
    unit = 60.0 if window.in_minutes() else 1.0
    first, last = window.range_s()
    return [Tick(tick.at * unit, tick.text.lstrip("−")) for tick in linear_ticks(first / unit, last / unit)]


def time_label(window: TimeWindow) -> str:
    """What the figures on the time axis count."""
    if window.moves() or not window.end_ns:
        return _("minutes ago") if window.in_minutes() else _("seconds ago")
    return _("minutes before the end") if window.in_minutes() else _("seconds before the end")


def time_title(window: TimeWindow, position_s: float) -> str:
    """Head of a read-out: "12.4 s ago"."""
    sentence = _("{seconds} s ago") if window.moves() else _("{seconds} s before the end")
    return sentence.format(seconds=f"{abs(position_s):.1f}")
