"""Labels that know their place in the hierarchy: titles, secondary text, text that is cut with an ellipsis."""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.ui.fonts import line_height, scaled
from app.ui.numbers import tabular
from app.ui.theme import current_theme
from app.ui.theme_change import ThemeChanged


class Words(QLabel):
    """A label in one of the theme's colours; follows a change of theme and of the application's font."""

    def __init__(
        self,
        tone: str = "text",
        size: float = 1.0,
        weight: QFont.Weight = QFont.Weight.Normal,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tone, self._size, self._weight = tone, size, weight
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._dress()

    def use_tone(self, tone: str) -> None:
        """Name of a colour of `Theme`."""
        if tone != self._tone:
            self._tone = tone
            self._dress()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self._dress()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            self._dress()

    def _dress(self) -> None:
        font = tabular(scaled(self, self._size, self._weight))
        if font != self.font():
            self.setFont(font)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, QColor(getattr(current_theme(), self._tone)))
        self.setPalette(palette)


def one_line(text: str) -> str:
    """`text` with "�" for what would break or garble a line: file names may have control characters in them."""
    return "".join("\ufffd" if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)


class CutWords(Words):
    """One line that is cut with an ellipsis when there is no room; the whole text is in the tool tip."""

    def __init__(
        self,
        tone: str = "text",
        size: float = 1.0,
        weight: QFont.Weight = QFont.Weight.Normal,
        parent: QWidget | None = None,
        cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        super().__init__(tone, size, weight, parent)
        self._cut = cut
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        super().setText(one_line(text))
        self._tell_whole()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_whole()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), line_height(self.font()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, line_height(self.font()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        room = self.rect().adjusted(max(0, self.indent()), 0, 0, 0)
        shown = self.fontMetrics().elidedText(self.text(), self._cut, room.width())
        painter.drawText(room, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()

    def _tell_whole(self) -> None:
        fits = self.fontMetrics().horizontalAdvance(self.text()) <= self.width() - max(0, self.indent())
        self.setToolTip("" if fits else self.text())


def section_title(text: str) -> Words:
    """The small heading above a group of controls."""
    title = Words("secondary_text", 0.9, QFont.Weight.DemiBold)
    title.setText(text)
    return title
