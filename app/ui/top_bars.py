"""The likeliest answers of one lane, each a row with a bar behind it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.engine.messages import Answer
from app.i18n import language
from app.ui.fonts import scaled
from app.ui.numbers import PERCENT, show_percent, tabular, with_unit
from app.ui.theme import current_theme

PAD = 8
TINT = 0.28
"""Opacity of the bar: text on it keeps a contrast above 4.5:1 in both themes."""


def percent(share: float) -> str:
    """ "81.2 %" """
    return with_unit(show_percent(share), PERCENT)


class TopBars(QWidget):
    """Draws what `show_answers` was given last; keeps room for `rows` answers so that cards stay aligned."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor(colour)
        self._answers: tuple[tuple[str, float], ...] = ()
        self._rows = 5
        self._faded = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_answers(self, answers: tuple[Answer, ...], rows: int, faded: bool) -> None:
        """`faded` while they belong to an earlier photo."""
        from app.library.labels import shown_label

        shown = tuple((shown_label(one.label, language()), one.probability) for one in answers[:rows])
        if (shown, rows, faded) == (self._answers, self._rows, self._faded):
            return
        if rows != self._rows:
            self._rows = rows
            self.updateGeometry()
        self._answers, self._faded = shown, faded
        spoken = ", ".join(f"{label} {percent(probability)}" for label, probability in shown)
        self.setAccessibleDescription(spoken)
        self.setToolTip("\n".join(f"{label}  {percent(probability)}" for label, probability in shown))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self._rows * self._row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._rows * self._row_height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, (label, probability) in enumerate(self._answers):
            self._paint_row(painter, place, label, probability)
        painter.end()

    def _row_height(self) -> int:
        return self.fontMetrics().height() + PAD

    def _paint_row(self, painter: QPainter, place: int, label: str, probability: float) -> None:
        theme = current_theme()
        row = QRectF(0, place * self._row_height(), self.width(), self._row_height() - 2)
        tint = QColor(self._colour)
        tint.setAlphaF(TINT * (0.5 if self._faded else 1.0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.setFont(tabular(scaled(self, 1.0)))
        figure = percent(probability)
        room = painter.fontMetrics().horizontalAdvance("99.9 %") + PAD
        longest = row.width() - room  # the bar of 100 % ends where the figures begin
        painter.drawRoundedRect(QRectF(row.left(), row.top(), max(4.0, longest * probability), row.height()), 4, 4)
        painter.setPen(QColor(theme.secondary_text if self._faded else theme.text))
        inner = row.adjusted(PAD, 0, 0, 0)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), figure)
        cut = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, int(inner.width() - room - PAD))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
