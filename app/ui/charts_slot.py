"""The place of the charts: empty until the window is painted, then the charts with the timer that feeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.engine.targets import target
from app.ui.lane_state import Phase
from app.ui.lane_words import shown_precision
from app.ui.lanes import Lanes
from app.ui.theme import current_theme
from app.ui.theme_change import ThemeChanged

if TYPE_CHECKING:
    from app.ui.charts.chart_area import ChartArea

DRAW_EVERY_MS = 33
"""30 times a second; only while something is measured."""


class ChartsSlot(QWidget):
    """Reads each lane's samples on a timer and hands them to the charts."""

    paused_changed = Signal(bool)
    log_changed = Signal(bool)

    def __init__(self, lanes: Lanes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("charts")
        self.setMinimumHeight(232)
        self._lanes = lanes
        self._charts: ChartArea | None = None
        self._log = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(DRAW_EVERY_MS)
        self._timer.timeout.connect(self._draw)
        lanes.run_began.connect(self._on_run_began)

    def open(self) -> None:
        """Make the charts. Imports pyqtgraph, which takes a third of a second: not before the window is painted."""
        if self._charts is not None:
            return
        from app.ui.charts.chart_area import ChartArea

        self._charts = ChartArea()
        self._column.addWidget(self._charts)
        self._charts.set_theme(current_theme())
        self._charts.set_log(self._log)
        self._charts.set_running(self._lanes.is_live)
        self._charts.paused_changed.connect(self.paused_changed)
        self._charts.log_changed.connect(self.log_changed)
        self.show_lanes()

    def show_lanes(self) -> None:
        """One curve a lane, in the lanes' colours and line styles."""
        if self._charts is None:
            return
        from app.ui.charts.lane_style import LaneStyle

        styles = []
        for key in self._lanes.order:
            lane = self._lanes.lane(key)
            one = target(lane.target)
            name = f"{one.shown_name} · {shown_precision(lane.precision)}"
            styles.append(LaneStyle(key, name, one.colour, one.dash))
        self._charts.set_lanes(styles)

    def set_running(self, running: bool) -> None:
        """Draw while a run lasts; `_draw` ends it when the last lane has stopped."""
        if self._charts is not None:
            self._charts.set_running(running)
        if running:
            self._timer.start()

    def set_paused(self, paused: bool) -> None:
        if self._charts is not None:
            self._charts.set_paused(paused)

    def set_log(self, log: bool) -> None:
        self._log = log
        if self._charts is not None:
            self._charts.set_log(log)

    def reset_zoom(self) -> None:
        if self._charts is not None:
            self._charts.reset_zoom()

    def copy_picture(self) -> None:
        """The charts as a picture for the clipboard; nothing before they exist."""
        if self._charts is not None:
            QGuiApplication.clipboard().setImage(self._charts.copy_picture())

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged) and self._charts is not None:
            self._charts.set_theme(current_theme())

    def _draw(self) -> None:
        for key, samples in self._lanes.read_samples().items():
            if self._charts is not None:
                self._charts.add_samples(key, samples)
        if self._charts is not None:
            self._charts.draw()
        if not self._lanes.is_live and not self._lanes.count(Phase.RUNNING, Phase.STOPPING):
            self._timer.stop()

    def _on_run_began(self, key: str) -> None:
        if self._charts is not None:
            self._charts.set_gap(key)
