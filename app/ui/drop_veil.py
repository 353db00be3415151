"""Covers a page while something hovers over the window, and says what will happen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.ui.drop_reader import Offer
from app.ui.fonts import scaled
from app.ui.theme import current_theme

OPACITY = 0.88
MARGIN = 24


class DropVeil(QWidget):
    """As large as `page`; hidden while nothing hovers."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self.sentence = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        page.installEventFilter(self)

    def show_offer(self, offer: Offer | None) -> None:
        self.sentence = offer.sentence if offer is not None else ""
        self.setAccessibleName(self.sentence)
        self.setGeometry(self._page.rect())
        self.setVisible(offer is not None)
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._page.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setOpacity(OPACITY)
        painter.fillRect(self.rect(), QColor(theme.background))
        painter.setOpacity(1.0)
        painter.setPen(QColor(theme.text))
        painter.setFont(scaled(self, 1.3))
        inner = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.sentence)
        painter.end()
