"""Latency over time: one curve a lane, its spikes as a band, warm-up shaded and faint."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from app.i18n import _
from app.ui.charts.axis import RestingTop, linear_ticks, log_ticks
from app.ui.charts.buffer import Clock
from app.ui.charts.columns import Columns, Span, latency_columns
from app.ui.charts.crosshair import Reading, ReadoutRow
from app.ui.charts.lane_style import LaneStyle
from app.ui.charts.recording import Recording
from app.ui.charts.strokes import Stroke, band_rects, column_edges, dashed_strokes, shade_rects, with_alpha
from app.ui.charts.time_chart import TimeChart, time_title
from app.ui.numbers import MS, show_ms, with_unit
from app.ui.theme import Theme, mixed

_THICKNESS = 2.0
_BAND, _FAINT = 0.32, 0.5
"""Share of the lane's colour, the rest being the card's, in the band of spikes and in the curve during warm-up.

Mixed beforehand: columns with an opacity cost Qt half as much again as opaque ones.
"""
_SHADE = 0.06
"""Opacity of the ground during warm-up."""

LOG_RATIO = 20.0
"""From this ratio of medians on, a logarithmic scale is worth offering."""

_OFF_SCALE = 2.0
"""A spike this many times higher than 95 % of what is in sight does not set the scale."""


def clock_name(clock: Clock) -> str:
    """How a clock is called."""
    return _("engine clock") if clock is Clock.ENGINE else _("end to end")


class LatencyChart(TimeChart):
    """x: seconds relative to the window's end; y: ms, or its logarithm to base 10."""

    def __init__(self, recording: Recording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(recording, theme, parent)
        self._top = RestingTop(10.0)
        self._columns: dict[str, Columns] = {}

    def fit(self) -> None:
        """Choose the y range for what is in sight, and refresh all texts. Twice a second."""
        columns = self._computed()
        self.frame.title = _("Latency")
        self.frame.subtitle = f"{MS} · {clock_name(self.recording.clock)}"
        at_rest = _("Press Run live to see the latency of every inference")
        self.frame.hint = "" if self.recording.any_samples() else self.recording.hint(at_rest)
        highest = [float(np.nanmax(one.high)) for one in columns.values() if np.isfinite(one.high).any()]
        y_range = self.y_zoom or (self._log_range(columns) if self.recording.log else self._linear_range(columns))
        self.frame.y_ticks = log_ticks(*y_range) if self.recording.log else linear_ticks(*y_range)
        top = 10 ** y_range[1] if self.recording.log else y_range[1]
        beyond = max(highest, default=0.0)
        self.frame.note = f"▲ {with_unit(show_ms(beyond), MS)}" if beyond > top and not self.y_zoom else ""
        self.set_ranges(self.fit_time_axis(), y_range)
        self.refresh_frame()

    def reset_scale(self) -> None:
        """Forget the resting range: other data or another scale follows."""
        self._top.reset()
        self.draw_again()

    def shows_warmup(self) -> bool:
        """Some warm-up is in sight."""
        return any(one.warmup.any() for one in self._columns.values())

    def spoken(self) -> tuple[str, str]:
        return _("Latency over time"), _("Milliseconds of every inference, one curve a lane")

    def readout(self, x: float) -> Reading:
        rows = []
        for lane in self.recording.lanes:
            one = self._columns.get(lane.key)
            if one is None:
                continue
            at = self.column_at(x, len(one.middle))
            middle, low, high = float(one.middle[at]), float(one.low[at]), float(one.high[at])
            if not np.isfinite(middle):
                continue
            extra = f"{show_ms(low)}–{show_ms(high)}" if high > low else ""
            rows.append(ReadoutRow(lane.colour, lane.dash, lane.name, (with_unit(show_ms(middle), MS), extra)))
        return Reading(time_title(self.recording.time, x), ("", ""), tuple(rows))

    def _computed(self) -> dict[str, Columns]:
        where = self.span()
        recording = self.recording
        self._columns = {lane.key: latency_columns(buffer, recording.clock, where) for lane, buffer in recording.each()}
        return self._columns

    def _linear_range(self, columns: dict[str, Columns]) -> tuple[float, float]:
        high = [one.high[np.isfinite(one.high)] for one in columns.values()]
        high = [one for one in high if len(one)]
        if not high:
            return 0.0, self._top.fit(None, time.monotonic())
        usual = max(float(np.percentile(one, 95)) for one in high)
        highest = max(float(one.max()) for one in high)
        return 0.0, self._top.fit(min(highest, _OFF_SCALE * usual), time.monotonic())

    def _log_range(self, columns: dict[str, Columns]) -> tuple[float, float]:
        low = [np.nanmin(one.low) for one in columns.values() if np.isfinite(one.low).any()]
        high = [np.nanmax(one.high) for one in columns.values() if np.isfinite(one.high).any()]
        if not low:
            return 0.0, 1.0
        # Half decades: a range that moves in large steps rests most of the time.
        lowest, highest = max(float(min(low)), 1e-3), max(float(max(high)), 2e-3)
        return float(np.floor(2 * np.log10(lowest * 0.95)) / 2), float(np.ceil(2 * np.log10(highest * 1.05)) / 2)

    def _draw_curves(self, where: Span) -> None:
        bands: list[Stroke] = []
        lines: list[Stroke] = []
        edges = column_edges(where.count, self.plot_size()[0], self.devicePixelRatioF())
        shaded = np.zeros(where.count, bool)
        columns = self._computed()
        for lane in self.recording.lanes:
            if lane.key in columns:
                shaded |= columns[lane.key].warmup
                band, *line = self._lane_strokes(lane, columns[lane.key], edges)
                bands.append(band)
                lines += line
        if shaded.any():
            ground = shade_rects(edges, self.plot_size()[1], shaded)
            bands.insert(0, Stroke(ground, with_alpha(self.frame.theme.text, _SHADE)))
        self.show_strokes([*bands, *lines])

    def _lane_strokes(self, lane: LaneStyle, one: Columns, edges: np.ndarray) -> list[Stroke]:
        """The band, then the lines."""
        card = self.frame.theme.card
        low, middle, high = (self.y_pixels(self._to_axis(part)) for part in (one.low, one.middle, one.high))
        measured = ~one.warmup
        pale, faint = mixed(card, lane.colour, _BAND), mixed(card, lane.colour, _FAINT)
        strokes = [Stroke(band_rects(edges, high, low, measured, _THICKNESS), QColor(pale))]
        strokes += dashed_strokes(edges, one, middle, measured, lane.dash, _THICKNESS, (lane.colour, pale))
        if one.warmup.any():
            strokes += dashed_strokes(edges, one, middle, one.warmup, lane.dash, _THICKNESS, (faint, pale))
        return strokes

    def _to_axis(self, ms: np.ndarray) -> np.ndarray:
        return np.log10(np.maximum(ms, 1e-6)) if self.recording.log else ms
