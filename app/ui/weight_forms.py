"""How the weights are stored: one bar, a part for each form as wide as its share of the bytes, and a line a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.fonts import scaled
from app.ui.inspect_words import weights_line
from app.ui.numbers import tabular
from app.ui.theme import current_theme

if TYPE_CHECKING:
    from app.compiler.inspection.report import StoredWeights

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe–Ito, told apart by the colour-blind; the lines stand in the order of the parts."""
BAR, GAP, PAD, SWATCH = 16, 12, 8, 10


class WeightForms(QWidget):
    """Draws what `show_weights` was given last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._forms: tuple[StoredWeights, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_weights(self, forms: tuple[StoredWeights, ...]) -> None:
        self._forms = forms
        self.setAccessibleDescription("; ".join(f"{one.form}: {weights_line(one)}" for one in forms))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, BAR + GAP + len(self._forms) * self._row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter)
        painter.setFont(tabular(scaled(self, 1.0)))
        for place, one in enumerate(self._forms):
            self._paint_row(painter, place, one)
        painter.end()

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 4

    def _paint_bar(self, painter: QPainter) -> None:
        total = sum(one.stored_bytes for one in self._forms)
        if not total:
            return
        bar, left = QRectF(0, 0, self.width(), BAR), 0.0
        rounded = QPainterPath()
        rounded.addRoundedRect(bar, 4, 4)
        painter.setClipPath(rounded)
        for place, one in enumerate(self._forms):
            width = bar.width() * one.stored_bytes / total
            painter.fillRect(QRectF(left, 0, width, BAR), QColor(COLOURS[place % len(COLOURS)]))
            if left:  # a seam: neighbours must be told apart without their colours
                painter.fillRect(QRectF(left - 1, 0, 2, BAR), QColor(current_theme().card))
            left += width
        painter.setClipping(False)

    def _paint_row(self, painter: QPainter, place: int, one: StoredWeights) -> None:
        theme = current_theme()
        row = QRectF(0, BAR + GAP + place * self._row_height(), self.width(), self._row_height())
        painter.fillRect(
            QRectF(0, row.center().y() - SWATCH / 2, SWATCH, SWATCH), QColor(COLOURS[place % len(COLOURS)])
        )
        figures = weights_line(one)
        room = painter.fontMetrics().horizontalAdvance(figures)
        painter.setPen(QColor(theme.secondary_text))
        painter.drawText(row, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), figures)
        inner = row.adjusted(SWATCH + PAD, 0, -room - PAD, 0)
        painter.setPen(QColor(theme.text))
        cut = painter.fontMetrics().elidedText(one.form, Qt.TextElideMode.ElideRight, max(0, int(inner.width())))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
