"""Distribution of the latency: a histogram a lane as a filled outline, with a tick at the median."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from app.i18n import _
from app.ui.charts.axis import RestingSpan, RestingTop, linear_ticks, log_ticks
from app.ui.charts.chart import Chart
from app.ui.charts.crosshair import Reading, ReadoutRow
from app.ui.charts.lane_style import LaneStyle
from app.ui.charts.latency_chart import clock_name
from app.ui.charts.recording import Recording
from app.ui.charts.strokes import Stroke, band_rects, column_edges, dash_mask, line_rects, with_alpha
from app.ui.numbers import MS, PERCENT, show_ms, show_percent, with_unit
from app.ui.theme import Theme

_FILL = 0.20
_BIN_PX = 3.0
"""Width of a bin, about."""

_MOST_BINS = 160
_MEDIAN_TICK = (2.0, 9.0)
"""Width of the median's tick and how far it stands out over the outline, in pixels."""


@dataclass(frozen=True)
class Histogram:
    """Percent of a lane's measured samples in each of equal bins over the range of the x axis, and their median."""

    share: np.ndarray
    median: float
    """In axis units."""


class DistributionChart(Chart):
    """x: ms, or its logarithm to base 10; y: percent of the lane's samples in a bin. Warm-up is left out."""

    def __init__(self, recording: Recording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(recording, theme, parent)
        self.x_zoom: tuple[float, float] | None = None
        """What the x axis reaches while zoomed, in axis units."""
        self._reach = RestingSpan()
        self._top = RestingTop(1.0)
        self._histograms: dict[str, Histogram] = {}

    def fit(self) -> None:
        """Count, draw and refresh all texts. Twice a second."""
        samples = self._samples()
        x_range = self.x_zoom or self._x_range(samples)
        bins = self._bin_count(max((len(values) for values in samples.values()), default=0))
        self._histograms = {key: histogram(values, x_range, bins) for key, values in samples.items()}
        highest = max((float(one.share.max()) for one in self._histograms.values()), default=0.0)
        # Room for the median's tick above the highest bin.
        y_range = (0.0, min(110.0, self._top.fit(highest * 1.1 if highest else None, time.monotonic())))
        self._set_texts(x_range, y_range)
        self.set_ranges(x_range, y_range)
        edges = column_edges(int(self.plot_size()[0]), self.plot_size()[0], self.devicePixelRatioF())
        strokes: list[Stroke] = []
        for lane in self.recording.lanes:
            if lane.key in self._histograms:
                strokes += self._lane_strokes(lane, self._histograms[lane.key], edges)
        self.show_strokes(strokes)
        self.refresh_frame()

    def medians_ms(self) -> dict[str, float]:
        """Median of every lane that has measured samples."""
        return {key: self._to_ms(one.median) for key, one in self._histograms.items()}

    def reset_scale(self) -> None:
        """Forget the resting ranges: other data or another scale follows."""
        self._reach.reset()
        self._top.reset()

    def spoken(self) -> tuple[str, str]:
        return _("Distribution of the latency"), _(
            "Share of samples by milliseconds, one outline a lane, median marked"
        )

    def readout(self, x: float) -> Reading:
        first, last = self.box.viewRange()[0]
        rows = []
        for lane in self.recording.lanes:
            one = self._histograms.get(lane.key)
            if one:
                at = min(len(one.share) - 1, max(0, int((x - first) / (last - first) * len(one.share))))
                share = with_unit(show_percent(one.share[at] / 100), PERCENT)
                median = with_unit(show_ms(self._to_ms(one.median)), MS)
                rows.append(ReadoutRow(lane.colour, lane.dash, lane.name, (share, median)))
        return Reading(with_unit(show_ms(self._to_ms(x)), MS), (_("share"), _("median")), tuple(rows))

    def _bin_count(self, samples: int) -> int:
        """As many as pixels and samples make sense of: few samples in narrow bins look like a comb."""
        return min(_MOST_BINS, max(8, int(self.plot_size()[0] / _BIN_PX)), max(8, int(3 * math.sqrt(samples))))

    def _to_ms(self, at: float) -> float:
        return 10**at if self.recording.log else at

    def _samples(self) -> dict[str, np.ndarray]:
        """Measured samples of each lane in axis units."""
        found = {}
        for lane, buffer in self.recording.each():
            ms = buffer.measured_ms(self.recording.clock)
            if len(ms):
                found[lane.key] = np.log10(np.maximum(ms, 1e-6)) if self.recording.log else ms
        return found

    def _x_range(self, samples: dict[str, np.ndarray]) -> tuple[float, float]:
        """Where nearly all samples of every lane are; single spikes are left outside."""
        if not samples:
            return (0.0, 1.0) if self.recording.log else (0.0, 10.0)
        # A sixteenth of many samples is enough to place the ends of an axis.
        ends = [np.percentile(values[:: 1 + len(values) // 4096], (0.5, 99)) for values in samples.values()]
        low, high = min(float(end[0]) for end in ends), max(float(end[1]) for end in ends)
        least = 0.05 if self.recording.log else max(abs(high), 1e-3) * 0.05
        margin = max((high - low) * 0.12, least)
        floor = -math.inf if self.recording.log else 0.0
        return self._reach.fit(max(floor, low - margin), high + margin, time.monotonic())

    def _set_texts(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.frame.title = _("Distribution")
        self.frame.subtitle = _("% of samples")
        self.frame.x_label = f"{MS} · {clock_name(self.recording.clock)}"
        at_rest = _("Press Run live to see how the latencies spread")
        self.frame.hint = "" if self._histograms else self.recording.hint(at_rest)
        self.frame.x_ticks = log_ticks(*x_range) if self.recording.log else linear_ticks(*x_range)
        self.frame.y_ticks = linear_ticks(*y_range, most=3)

    def _lane_strokes(self, lane: LaneStyle, one: Histogram, edges: np.ndarray) -> list[Stroke]:
        count = len(edges) - 1
        height = self.plot_size()[1]
        at = np.arange(count) * len(one.share) // count
        y = self.y_pixels(one.share[at])
        inside = one.share[at] > 0
        inside[1:] |= one.share[at][:-1] > 0
        inside[:-1] |= one.share[at][1:] > 0
        steep = np.zeros(count, bool)
        steep[1:] = np.abs(np.diff(y)) > 1.5
        steep[:-1] |= steep[1:]
        shown = inside & (dash_mask(lane.dash, 0, count, 1.0) | steep)
        line = line_rects(edges, y, np.zeros(count, bool), shown, 1.6)
        return [
            Stroke(_bars(edges, one.share, self.y_pixels(one.share), height), with_alpha(lane.colour, _FILL)),
            Stroke(line, QColor(lane.colour)),
            Stroke(self._median_tick(one, y, count), QColor(lane.colour)),
        ]

    def _median_tick(self, one: Histogram, y: np.ndarray, count: int) -> np.ndarray:
        """One upright bar from the axis to just over the outline, none when the median is out of sight."""
        first, last = self.box.viewRange()[0]
        x = (one.median - first) / (last - first) * count
        if not 0 <= x < count:
            return np.empty((0, 4))
        width, over = _MEDIAN_TICK
        top = max(0.0, float(y[int(x)]) - over)
        return np.array([[x - width / 2, top, width, self.plot_size()[1] - top]])


def _bars(edges: np.ndarray, share: np.ndarray, top: np.ndarray, height: float) -> np.ndarray:
    """One rectangle a bin that holds something, from the axis to `top`."""
    count, bins = len(edges) - 1, len(share)
    sides = edges[-(-np.arange(bins + 1) * count // bins)]  # where the columns of a bin begin
    return band_rects(sides, top, np.full(bins, height), share > 0)


def histogram(values: np.ndarray, reach: tuple[float, float], bins: int) -> Histogram:
    """Percent of `values` in each of `bins` equal bins over `reach`; what lies outside counts for the whole."""
    counts, _edges = np.histogram(values, bins, reach)
    return Histogram(counts * (100.0 / len(values)), float(np.median(values)))
