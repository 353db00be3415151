"""The three live charts with their legend and controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.card import Card
from app.ui.charts.buffer import Clock
from app.ui.charts.chart import Chart
from app.ui.charts.controls import Controls
from app.ui.charts.crosshair import ReadoutBox
from app.ui.charts.distribution_chart import DistributionChart
from app.ui.charts.lane_style import LaneStyle
from app.ui.charts.latency_chart import LOG_RATIO, LatencyChart
from app.ui.charts.legend import Legend
from app.ui.charts.memory_chart import MemoryChart
from app.ui.charts.recording import Recording
from app.ui.charts.time_chart import TimeChart
from app.ui.theme import Theme, current_theme

_TEXT_EVERY_S = 0.5
_SETTLED_MS = 1200


class ChartArea(Card):
    """Latency over time, its distribution, memory over time. All its methods belong to the window's thread.

    The window feeds it with `add_samples` and calls `draw` every 33 ms; nothing is drawn when nothing changed or the
    area is hidden. Texts and scales change at most twice a second.
    """

    paused_changed = Signal(bool)
    log_changed = Signal(bool)
    log_offered = Signal(bool)
    """The medians of two lanes differ by more than 20 times, so that a logarithmic scale would help; or no longer."""
    zoomed = Signal(bool)

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        super().__init__(parent)
        theme = theme or current_theme(self.palette())
        self.recording = Recording()
        self.theme = theme
        self._texts_at_s = 0.0
        self._texts_of: list[object] = [None] * 3  # what the texts of each chart show
        self._turn = 0
        self._settling = self._timer(_SETTLED_MS, self._on_settled)
        self._redrawing = self._timer(0, self._redraw)
        self._hovered: Chart | None = None
        self._offered = False
        self._make_parts(theme)
        self._connect()
        self.retranslate()

    def _make_parts(self, theme: Theme) -> None:
        self.legend = Legend(theme)
        self.controls = Controls()
        self.latency = LatencyChart(self.recording, theme)
        self.distribution = DistributionChart(self.recording, theme)
        self.memory = MemoryChart(self.recording, theme)
        self.charts: tuple[Chart, ...] = (self.latency, self.distribution, self.memory)
        self.readout = ReadoutBox(self)
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(self.legend, 1, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.controls, 0, Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.setSpacing(8)
        for chart, share in zip(self.charts, (9, 5, 6), strict=True):
            row.addWidget(chart, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 4)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(row, 1)

    def _connect(self) -> None:
        self.controls.pause_asked.connect(self.set_paused)
        self.controls.log_asked.connect(self.set_log)
        self.controls.clock_asked.connect(self.set_clock)
        self.controls.span_asked.connect(self.set_span)
        self.controls.reset_asked.connect(self.reset_zoom)
        self.controls.copy_asked.connect(lambda: QGuiApplication.clipboard().setImage(self.copy_picture()))
        for chart in (self.latency, self.memory):
            chart.zoom_asked.connect(self._on_time_zoom_asked)
        self.distribution.zoom_asked.connect(self._on_distribution_zoom_asked)
        for any_chart in self.charts:
            any_chart.hovered.connect(self._on_hovered)
            any_chart.reset_asked.connect(self.reset_zoom)
            any_chart.laid_out.connect(self._redrawing.start)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def set_lanes(self, lanes: Sequence[LaneStyle]) -> None:
        """Show these lanes, in this order; a lane that was there already keeps its samples."""
        self.recording.set_lanes(lanes)
        self._start_over()

    def add_samples(self, key: str, samples: np.ndarray) -> None:
        """Take over new samples of a lane, an array of `app.engine.ring.SAMPLE` in the order in which they ended.

        Samples of a lane that is not shown are dropped: one that was just taken away may still deliver some.
        """
        if key in self.recording.buffers:
            self.recording.buffers[key].add(samples)

    def clear(self, key: str) -> None:
        """Forget a lane's samples; a lane that is not shown has none."""
        if key in self.recording.buffers:
            self.recording.buffers[key].clear()
            self._start_over()

    def set_gap(self, key: str) -> None:
        """The lane's next sample does not continue its curve."""
        if key in self.recording.buffers:
            self.recording.buffers[key].set_gap()

    def draw(self) -> None:
        """Bring the picture up to date. Cheap when nothing changed."""
        if not self.isVisible():
            return
        self.recording.follow(time.perf_counter_ns())
        for chart in (self.latency, self.memory):
            chart.draw()
        now_s = time.monotonic()
        if now_s - self._texts_at_s >= _TEXT_EVERY_S / len(self.charts):
            self._texts_at_s = now_s
            self._refresh_next()
        if self.recording.time.live:
            self._settling.start()

    def copy_picture(self) -> QImage:
        """The legend and the charts as they are on the screen, in device pixels."""
        ratio = self.devicePixelRatioF()
        picture = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        picture.fill(self.theme.card)
        painter = QPainter(picture)
        parts: tuple[QWidget, ...] = (self.legend, *self.charts)
        for part in parts:
            painter.drawPixmap(part.pos(), part.grab())
        painter.end()
        return picture

    # --- how it is shown --------------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Repaint everything in other colours."""
        self.theme = theme
        self.legend.set_theme(theme)
        for chart in self.charts:
            chart.set_theme(theme)
        self._redraw()

    def set_paused(self, paused: bool) -> None:
        """Hold the picture; samples are kept nevertheless and appear afterwards."""
        if paused == self.recording.time.paused:
            return
        self.recording.time.paused = paused
        self._redraw()
        self.paused_changed.emit(paused)

    def set_running(self, running: bool) -> None:
        """Whether samples are on their way; an empty chart then says that it waits."""
        if running != self.recording.running:
            self.recording.running = running
            self._redraw()

    def set_log(self, log: bool) -> None:
        """Logarithmic scale of the latency, or linear."""
        if log == self.recording.log:
            return
        self.recording.log = log
        self.latency.y_zoom = self.distribution.x_zoom = None
        self._start_over()
        self.log_changed.emit(log)

    def set_clock(self, clock: Clock) -> None:
        """Draw this clock of the samples."""
        self.recording.clock = clock
        self._start_over()

    def set_span(self, seconds: float) -> None:
        """How far back the charts over time reach, up to an hour."""
        self.recording.time.span_s = seconds
        self._start_over()

    def reset_zoom(self) -> None:
        """Show everything again and follow the samples."""
        self.recording.time.zoom = None
        self.latency.y_zoom = self.memory.y_zoom = self.distribution.x_zoom = None
        self._start_over()
        self.zoomed.emit(False)

    def retranslate(self) -> None:
        """Say everything in the current language."""
        self.controls.retranslate()
        self.legend.retranslate()
        for chart in self.charts:
            chart.retranslate()
        self._redraw()

    # --- Qt ---------------------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _start_over(self) -> None:
        """Other data or another scale: choose all ranges afresh."""
        for chart in self.charts:
            chart.reset_scale()
        self._redraw()

    def _redraw(self) -> None:
        """Draw everything now, also while paused."""
        self.latency.draw_again()
        self.memory.draw_again()
        self._refresh_texts()
        self.latency.draw()
        self.memory.draw()

    def _refresh_texts(self) -> None:
        for chart in self.charts:
            chart.fit()
        self._texts_of = [self._shown_state()] * len(self.charts)
        self._show_state()

    def _refresh_next(self) -> None:
        """The texts of one chart, in turn: all at once would hold up the window for too long."""
        self._turn = (self._turn + 1) % len(self.charts)
        if self.recording.time.paused or self._texts_of[self._turn] == self._shown_state():
            return
        self._texts_of[self._turn] = self._shown_state()
        self.charts[self._turn].fit()
        self._show_state()

    def _shown_state(self) -> tuple[int, bool]:
        return self.recording.version(), self.recording.time.moves()

    def _show_state(self) -> None:
        self.legend.show_lanes(self.recording.lanes, self.latency.shows_warmup())
        self._offer_log()
        self.controls.show_state(self.recording, self._offered, self._is_zoomed())
        self._show_readout()

    def _on_settled(self) -> None:
        """No more samples for a while: the picture ends where they end, whether or not `draw` is still called."""
        self.recording.follow(time.perf_counter_ns())
        if self.recording.time.moves():
            self._settling.start()
        elif not self.recording.time.paused:
            self._redraw()

    def _timer(self, after_ms: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(after_ms)
        timer.timeout.connect(then)
        return timer

    def _offer_log(self) -> None:
        medians = [ms for ms in self.distribution.medians_ms().values() if ms > 0]
        offered = len(medians) > 1 and max(medians) / min(medians) > LOG_RATIO
        if offered != self._offered:
            self._offered = offered
            self.log_offered.emit(offered)

    def _is_zoomed(self) -> bool:
        return self.recording.time.zoom is not None or self.distribution.x_zoom is not None

    def _on_hovered(self, x: float | None) -> None:
        chart = self.sender()
        assert isinstance(chart, Chart)
        self._hovered = None if x is None else chart
        # Latency and memory share their time axis, and so their crosshair.
        for other in self.charts:
            together = other is chart or (isinstance(other, TimeChart) and isinstance(chart, TimeChart))
            other.set_cursor(x if together else None)
        self._show_readout()

    def _show_readout(self) -> None:
        point = self._hovered.cursor_point() if self._hovered else None
        if self._hovered is None or point is None:
            self.readout.hide()
            return
        reading = self._hovered.readout(self._hovered.cursor_x())
        self._hovered.setAccessibleDescription("; ".join(reading.texts()))
        if not reading.rows:  # nothing was measured there
            self.readout.hide()
            return
        beside = self._hovered.mapTo(self, point)
        self.readout.show_reading(reading, beside, self.theme, self._hovered.frame.font)

    def _on_time_zoom_asked(self, area: QRectF) -> None:
        chart = self.sender()
        assert isinstance(chart, TimeChart)
        self.recording.time.zoom = (area.left(), area.right())
        chart.y_zoom = (area.top(), area.bottom())
        self._redraw()
        self.zoomed.emit(True)

    def _on_distribution_zoom_asked(self, area: QRectF) -> None:
        self.distribution.x_zoom = (area.left(), area.right())
        self._redraw()
        self.zoomed.emit(True)
