"""The frame of a card: one hairline, rounded corners, no shadow."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.ui.theme import current_theme

CORNER = 10.0


def lay_on_card(view: QAbstractScrollArea) -> None:
    """Give a list or table the ground of the card that it lies on; to be called again when the theme changes."""
    palette = view.palette()
    palette.setColor(QPalette.ColorRole.Base, QColor(current_theme().card))
    view.setPalette(palette)


class Card(QFrame):
    """Paints its own ground from the theme of the moment; `edge` recolours the hairline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edge: QColor | None = None

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(theme.card))
        painter.setPen(QPen(self.edge or QColor(theme.hairline), 1.0))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)
        painter.end()
