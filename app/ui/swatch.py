"""A short stroke in a lane's colour and line style: the same stroke as its curve."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.engine.targets import Target
from app.ui.theme import current_theme

DASHES: dict[str, tuple[float, ...]] = {
    "solid": (),
    "dash": (4.0, 2.0),
    "dot": (1.0, 1.5),
    "dashdot": (4.0, 1.5, 1.0, 1.5),
    "longdash": (7.0, 2.0),
    "dashdotdot": (4.0, 1.5, 1.0, 1.5, 1.0, 1.5),
}
"""Strokes and gaps in line widths."""


class Swatch(QWidget):
    """28×16 pixels, or a line across all the room there is; grey for a target that is not available."""

    def __init__(self, target: Target, across: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour, self._dash = QColor(target.colour), DASHES[target.dash]
        self._size = QSize(28, 4 if across else 16)
        wide = QSizePolicy.Policy.Expanding if across else QSizePolicy.Policy.Fixed
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return self._size

    def paintEvent(self, event: QPaintEvent) -> None:
        colour = self._colour if self.isEnabled() else QColor(current_theme().hairline)
        pen = QPen(colour, 3.0)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if self._dash:
            pen.setDashPattern(list(self._dash))
        painter = QPainter(self)
        painter.setPen(pen)
        middle = self.height() / 2
        painter.drawLine(QLineF(0, middle, self.width(), middle))
        painter.end()
