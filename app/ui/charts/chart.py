"""What all charts have: a frame with title, axes and grid, an area for curves, zoom, crosshair.

pyqtgraph's view box keeps the range and does the rubber band; axes and texts are ours and live in the view's cached
background, because they change twice a second and curves thirty times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.ui.charts.crosshair import Crosshair, Reading
from app.ui.charts.frame import Frame
from app.ui.charts.recording import Recording
from app.ui.charts.strokes import Stroke, StrokeItem
from app.ui.charts.zoom_box import ZoomBox
from app.ui.theme import Theme

_KEY_STEPS = 60


class Chart(pg.GraphicsView):
    """Base of the charts. Subclasses set the texts of `frame`, compute strokes and answer `readout`."""

    hovered = Signal(object)
    """Position of the pointer, or of the keyboard's crosshair, on the x axis in axis units; None when it left."""
    laid_out = Signal()
    """The area for curves changed its size: what is drawn does not fit any more."""
    zoom_asked = Signal(QRectF)
    reset_asked = Signal()

    def __init__(self, recording: Recording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.recording = recording
        self.frame = Frame(theme)
        self.box = ZoomBox()
        self.scene().addItem(self.box)
        self.strokes = StrokeItem(self.box)
        self.crosshair = Crosshair(self.box)
        self._cursor: float | None = None
        self.box.zoom_asked.connect(self.zoom_asked)
        self.box.reset_asked.connect(self.reset_asked)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumSize(170, 140)
        self.set_theme(theme)

    # --- for subclasses ---------------------------------------------------------------------------------------------

    def readout(self, x: float) -> Reading:
        """What the curves are at the position `x` of the x axis."""
        raise NotImplementedError

    def fit(self) -> None:
        """Choose the ranges for what is in sight and refresh all texts."""
        raise NotImplementedError

    def reset_scale(self) -> None:
        """Forget the resting ranges: other data or another scale follows."""
        raise NotImplementedError

    def spoken(self) -> tuple[str, str]:
        """Name and description for a screen reader, in the current language."""
        raise NotImplementedError

    def plot_size(self) -> tuple[float, float]:
        """Width and height of the area for curves in pixels."""
        return max(1.0, self.box.rect().width()), max(1.0, self.box.rect().height())

    def device_columns(self) -> int:
        """How many columns of device pixels the area for curves has."""
        return max(1, int(self.plot_size()[0] * self.devicePixelRatioF()))

    def set_ranges(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        """What the axes reach, in axis units."""
        now_x, now_y = self.box.viewRange()
        if x_range != tuple(now_x) or y_range != tuple(now_y):
            self.box.setRange(xRange=x_range, yRange=y_range, padding=0)

    def y_pixels(self, values: np.ndarray) -> np.ndarray:
        """Values in axis units as pixels from the top; what is far outside is cut to just outside."""
        low, high = self.box.viewRange()[1]
        height = self.plot_size()[1]
        return np.clip((high - values) * (height / (high - low)), -height, 2 * height)

    def set_kinds(self, kinds: Sequence[tuple[str, str, float]]) -> None:
        """Explain these line styles in the heading."""
        if kinds != self.frame.kinds:
            self.frame.kinds = kinds
            self._lay_out()

    def show_strokes(self, strokes: Sequence[Stroke]) -> None:
        """Draw these curves."""
        self.strokes.show_strokes(strokes)

    def refresh_frame(self) -> None:
        """Paint title, axes, grid and hint anew. At most twice a second, and when the reader acts."""
        self.resetCachedContent()
        self.viewport().update()
        self._place_crosshair()

    # --- for the chart area -----------------------------------------------------------------------------------------

    def set_theme(self, theme: Theme) -> None:
        """Paint everything in other colours from now on."""
        self.frame.theme = theme
        self.setBackground(QColor(theme.card))
        band = self.box.rbScaleBox
        accent = QColor(theme.accent)
        band.setPen(QPen(accent, 0))
        accent.setAlphaF(0.15)
        band.setBrush(accent)
        self._lay_out()

    def retranslate(self) -> None:
        """Take the name and description for screen readers in the current language."""
        name, description = self.spoken()
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)

    def set_cursor(self, x: float | None) -> None:
        """Put the crosshair's line at `x` in axis units; None hides it."""
        self._cursor = x
        self._place_crosshair()

    # --- Qt ---------------------------------------------------------------------------------------------------------

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        self.frame.paint(painter, QRectF(self.rect()), self.box.geometry(), self.box.viewRange(), self.hasFocus())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "frame"):  # pyqtgraph resizes while its own constructor runs
            self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "frame"):
            self._lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = self.mapToScene(event.position().toPoint())
        inside = self.box.geometry().contains(at)
        self.hovered.emit(self.box.mapSceneToView(at).x() if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move the crosshair, Escape takes it away, or the zoom when there is no crosshair."""
        first, last = self.box.viewRange()[0]
        step = (last - first) / _KEY_STEPS
        at = (first + last) / 2 if self._cursor is None else self._cursor
        if event.key() == Qt.Key.Key_Left:
            self.hovered.emit(max(first, at - step))
        elif event.key() == Qt.Key.Key_Right:
            self.hovered.emit(min(last, at + step))
        elif event.key() == Qt.Key.Key_Escape and self._cursor is not None:
            self.hovered.emit(None)
        elif event.key() == Qt.Key.Key_Escape:
            self.reset_asked.emit()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.refresh_frame()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.refresh_frame()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls

    def _lay_out(self) -> None:
        self.frame.font = self.frame.font_for(self)
        area = self.frame.plot_area(QRectF(self.rect()))
        self.box.setGeometry(area)
        inside = QRectF(QPointF(), area.size())
        self.strokes.set_area(inside)
        self.crosshair.set_area(inside)
        self.refresh_frame()
        self.laid_out.emit()

    def _place_crosshair(self) -> None:
        first, last = self.box.viewRange()[0]
        if self._cursor is None or not first <= self._cursor <= last or not self.recording.any_samples():
            self.crosshair.hide()
            return
        x = (self._cursor - first) / (last - first) * self.plot_size()[0]
        self.crosshair.show_at(x, self.frame.theme.secondary_text)

    def cursor_x(self) -> float:
        """Where the crosshair stands, in axis units; 0 while there is none."""
        return self._cursor or 0.0

    def cursor_point(self) -> QPoint | None:
        """Top of the crosshair's line in this widget's pixels, None while it is hidden."""
        if not self.crosshair.isVisible() or self._cursor is None:
            return None
        first, last = self.box.viewRange()[0]
        share = (self._cursor - first) / (last - first)
        area = self.box.geometry()
        return QPoint(round(area.left() + share * area.width()), round(area.top()) + 4)
