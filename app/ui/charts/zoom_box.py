"""pyqtgraph's view box with our gestures."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, Signal

_LEAST_DRAG_PX = 4


class ZoomBox(pg.ViewBox):
    """Keeps the range of the axes. Dragging asks for a rectangle, a double click for everything."""

    zoom_asked = Signal(QRectF)
    """The rectangle in axis units."""
    reset_asked = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0)
        self.setMouseMode(pg.ViewBox.RectMode)
        self.disableAutoRange()

    def showAxRect(self, ax: QRectF, **kwargs: Any) -> None:
        """Called by pyqtgraph when the dragging ends."""
        width, height = self.viewPixelSize()
        if ax.width() > _LEAST_DRAG_PX * width and ax.height() > _LEAST_DRAG_PX * height:
            self.zoom_asked.emit(ax)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        if ev.button() == Qt.MouseButton.LeftButton:
            super().mouseDragEvent(ev, axis)

    def mouseClickEvent(self, ev: Any) -> None:
        if ev.double() and ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            self.reset_asked.emit()

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        ev.ignore()
