"""The line under the pointer and the values that it cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.ui.swatch import DASHES
from app.ui.theme import Theme

_PADDING, _GAP, _SWATCH = 8.0, 8.0, 16.0


@dataclass(frozen=True)
class ReadoutRow:
    """One lane's value at the crosshair."""

    colour: str
    dash: str
    name: str
    value: str
    extra: str = ""


class Crosshair(QGraphicsItem):
    """A vertical line with a box of values beside it. The box is painted once a content and then only copied."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self.setZValue(10)
        self.hide()
        self._area = QRectF()
        self._x = 0.0
        self._line = QColor()
        self._content: tuple[object, ...] = ()
        self._box = QPixmap()

    def set_area(self, area: QRectF) -> None:
        """Where the line can be, in the parent's pixels."""
        self.prepareGeometryChange()
        self._area = area

    def show_at(
        self, x: float, title: str, rows: Sequence[ReadoutRow], theme: Theme, font: QFont, pixel_ratio: float
    ) -> None:
        """Stand at `x` (pixels) and show `rows` below `title`."""
        self._line = QColor(theme.secondary_text)
        content = (title, tuple(rows), theme, font.key(), pixel_ratio)
        if content != self._content:
            self._content = content
            self._box = _paint_box(title, rows, theme, font, pixel_ratio)
        self._x = x
        self.show()
        self.update()

    def texts(self) -> list[str]:
        """What the box says, line by line; nothing while hidden."""
        if not self.isVisible() or not self._content:
            return []
        title, rows = self._content[:2]
        return [str(title), *(f"{row.name} {row.value} {row.extra}".strip() for row in rows)]  # type: ignore[attr-defined]

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(self._line, 0))
        painter.drawLine(QPointF(self._x, self._area.top()), QPointF(self._x, self._area.bottom()))
        size = self._box.deviceIndependentSize()
        right = self._x + _GAP
        left = right if right + size.width() <= self._area.right() else self._x - _GAP - size.width()
        left = max(self._area.left(), min(left, self._area.right() - size.width()))
        painter.drawPixmap(QPointF(round(left), round(self._area.top() + 4)), self._box)


def _paint_box(title: str, rows: Sequence[ReadoutRow], theme: Theme, font: QFont, pixel_ratio: float) -> QPixmap:
    metrics = QFontMetricsF(font)
    line = metrics.height() + 2
    names = max((metrics.horizontalAdvance(row.name) for row in rows), default=0.0)
    values = max((metrics.horizontalAdvance(row.value) for row in rows), default=0.0)
    extras = max((metrics.horizontalAdvance(row.extra) for row in rows), default=0.0)
    inner = _SWATCH + 6 + names + 12 + values + (8 + extras if extras else 0)
    width = 2 * _PADDING + max(metrics.horizontalAdvance(title), inner if rows else 0.0)
    height = 2 * _PADDING - 4 + line * (1 + len(rows))
    box = QPixmap(round(width * pixel_ratio), round(height * pixel_ratio))
    box.setDevicePixelRatio(pixel_ratio)
    box.fill(Qt.GlobalColor.transparent)
    painter = QPainter(box)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground = QColor(theme.card)
    ground.setAlphaF(0.94)
    painter.setBrush(ground)
    painter.setPen(QPen(QColor(theme.hairline), 1))
    painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 6, 6)
    painter.setFont(font)
    top = _PADDING - 2
    painter.setPen(QColor(theme.secondary_text))
    painter.drawText(QPointF(_PADDING, top + metrics.ascent()), title)
    for row in rows:
        top += line
        base = top + metrics.ascent()
        draw_swatch(painter, QRectF(_PADDING, top, _SWATCH, metrics.height()), row.colour, row.dash, 2.5)
        x = _PADDING + _SWATCH + 6
        painter.setPen(QColor(theme.text))
        painter.drawText(QPointF(x, base), row.name)
        x += names + 12 + values
        painter.drawText(QPointF(x - metrics.horizontalAdvance(row.value), base), row.value)
        painter.setPen(QColor(theme.secondary_text))
        painter.drawText(QPointF(x + 8, base), row.extra)
    painter.end()
    return box


def draw_swatch(painter: QPainter, area: QRectF, colour: str, dash: str, thickness: float) -> None:
    """A short stroke in the middle of `area`, as the curve looks."""
    pen = QPen(QColor(colour), thickness)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if DASHES[dash]:
        pen.setDashPattern(list(DASHES[dash]))
    painter.setPen(pen)
    painter.drawLine(QPointF(area.left(), area.center().y()), QPointF(area.right(), area.center().y()))
