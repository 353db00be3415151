"""What charts over time share: the axis of seconds ago, and drawing only what moved."""

from __future__ import annotations

from app.i18n import _
from app.ui.charts.axis import Tick, linear_ticks
from app.ui.charts.chart import Chart
from app.ui.charts.columns import Span, span
from app.ui.charts.time_window import TimeWindow


class TimeChart(Chart):
    """Base of the latency and the memory chart."""

    y_zoom: tuple[float, float] | None = None
    """What the y axis reaches while zoomed, in axis units."""
    _drawn: tuple[object, ...] = ()

    def draw(self) -> bool:
        """Draw the curves if anything moved by a column or changed; True when something was drawn."""
        where = self.span()
        drawn = (where, self.recording.version(), self.size(), tuple(self.box.viewRange()[1]))
        if drawn == self._drawn:
            return False
        self._drawn = drawn
        self._draw_curves(where)
        return True

    def draw_again(self) -> None:
        """Draw the curves at the next `draw` even if nothing moved."""
        self._drawn = ()

    def span(self) -> Span:
        """The stretch of time in sight, a column a device pixel at most."""
        return span(*self.recording.time.range_ns(), self.device_columns())

    def fit_time_axis(self) -> tuple[float, float]:
        """Set ticks and label of the x axis; returns what it reaches."""
        time = self.recording.time
        self.frame.x_ticks = time_ticks(time)
        self.frame.x_label = time_label(time)
        return time.range_s()

    def column_at(self, x: float, count: int) -> int:
        """The column of `count` that holds the position `x` of the time axis."""
        first, last = self.recording.time.range_s()
        return min(count - 1, max(0, int((x - first) / (last - first) * count)))

    def _draw_curves(self, where: Span) -> None:
        raise NotImplementedError


def time_ticks(time: TimeWindow) -> list[Tick]:
    """Ticks that read "30 20 10 0"."""
    unit = 60.0 if time.in_minutes() else 1.0
    first, last = time.range_s()
    return [Tick(tick.at * unit, tick.text.lstrip("−")) for tick in linear_ticks(first / unit, last / unit)]


def time_label(time: TimeWindow) -> str:
    """What the figures on the time axis count."""
    if time.moves():
        return _("minutes ago") if time.in_minutes() else _("seconds ago")
    return _("minutes before the end") if time.in_minutes() else _("seconds before the end")


def time_title(time: TimeWindow, position_s: float) -> str:
    """Head of a read-out: "12.4 s ago"."""
    sentence = _("{seconds} s ago") if time.moves() else _("{seconds} s before the end")
    return sentence.format(seconds=f"{abs(position_s):.1f}")
