"""The line under the pointer, and the box with the values that it cuts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.ui.swatch import DASHES
from app.ui.theme import Theme

_PADDING, _SWATCH, _COLUMN_GAP, _AWAY = 8.0, 24.0, 14.0, 10


@dataclass(frozen=True)
class ReadoutRow:
    """One lane at the crosshair; `cells` are figures with units, in the order of the columns."""

    colour: str
    dash: str
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What the box says: where, what the columns are (all empty: needs no heading), a row a lane."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[ReadoutRow, ...] = ()

    def texts(self) -> list[str]:
        """The same line by line, for screen readers."""
        return [self.title, *(" ".join((row.name, *filter(None, row.cells))) for row in self.rows)]


class Crosshair(QGraphicsItem):
    """A vertical line in an area of its parent."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self.setZValue(10)
        self.hide()
        self._area = QRectF()
        self._x = 0.0
        self._colour = QColor()

    def set_area(self, area: QRectF) -> None:
        """Where the line can be, in the parent's pixels."""
        self.prepareGeometryChange()
        self._area = area

    def show_at(self, x: float, colour: str) -> None:
        """Stand at `x` (pixels)."""
        self._x, self._colour = x, QColor(colour)
        self.show()
        self.update()

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(self._colour, 0))
        painter.drawLine(QLineF(self._x, self._area.top(), self._x, self._area.bottom()))


class ReadoutBox(QWidget):
    """Floats over the charts. Painted once for each content and then only copied: curves move below it all the time."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        self.reading: Reading | None = None
        self._drawn: tuple[object, ...] = ()
        self._picture = QPixmap()

    def show_reading(self, reading: Reading, beside: QPoint, theme: Theme, font: QFont) -> None:
        """Show `reading` right of the point, left of it where there is no room, always inside the parent."""
        drawn = (reading, theme, font.key(), self.devicePixelRatioF())
        if drawn != self._drawn:
            self._drawn, self.reading = drawn, reading
            self._picture = _paint(reading, theme, font, self.devicePixelRatioF())
        size = self._picture.deviceIndependentSize().toSize()
        room = self._room.rect()
        left = beside.x() + _AWAY
        if left + size.width() > room.right():
            left = beside.x() - _AWAY - size.width()
        self.setGeometry(
            max(0, min(left, room.width() - size.width())),
            max(0, min(beside.y(), room.height() - size.height())),
            size.width(),
            size.height(),
        )
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.end()


def _paint(reading: Reading, theme: Theme, font: QFont, pixel_ratio: float) -> QPixmap:
    metrics = QFontMetricsF(font)
    line = metrics.height() + 2
    names = max((metrics.horizontalAdvance(row.name) for row in reading.rows), default=0.0)
    widths = [_column_width(reading, at, metrics) for at in range(len(reading.columns))]
    inner = _SWATCH + 6 + names + sum(width + _COLUMN_GAP for width in widths)
    width = 2 * _PADDING + max(metrics.horizontalAdvance(reading.title), inner if reading.rows else 0.0)
    height = 2 * _PADDING - 4 + line * (1 + any(reading.columns) + len(reading.rows))
    picture = QPixmap(round(width * pixel_ratio), round(height * pixel_ratio))
    picture.setDevicePixelRatio(pixel_ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(theme.card))
    painter.setPen(QPen(QColor(theme.hairline), 1))
    painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 6, 6)
    painter.setFont(font)
    painter.setPen(QColor(theme.secondary_text))
    top = _PADDING - 2
    painter.drawText(QPointF(_PADDING, top + metrics.ascent()), reading.title)
    first_cell = _PADDING + _SWATCH + 6 + names
    if any(reading.columns):
        top += line
        _paint_cells(painter, metrics, QPointF(first_cell, top + metrics.ascent()), reading.columns, widths)
    for row in reading.rows:
        top += line
        draw_swatch(painter, QRectF(_PADDING, top, _SWATCH, metrics.height()), row.colour, row.dash, 2.0)
        painter.setPen(QColor(theme.text))
        painter.drawText(QPointF(_PADDING + _SWATCH + 6, top + metrics.ascent()), row.name)
        _paint_cells(painter, metrics, QPointF(first_cell, top + metrics.ascent()), row.cells, widths)
    painter.end()
    return picture


def _column_width(reading: Reading, at: int, metrics: QFontMetricsF) -> float:
    texts = (reading.columns[at], *(row.cells[at] for row in reading.rows))
    return max(metrics.horizontalAdvance(text) for text in texts)


def _paint_cells(
    painter: QPainter, metrics: QFontMetricsF, start: QPointF, cells: tuple[str, ...], widths: list[float]
) -> None:
    """Texts in columns, each set against the right side of its column."""
    x = start.x()
    for text, width in zip(cells, widths, strict=True):
        x += _COLUMN_GAP + width
        painter.drawText(QPointF(x - metrics.horizontalAdvance(text), start.y()), text)


def draw_swatch(painter: QPainter, area: QRectF, colour: str, dash: str, thickness: float) -> None:
    """A short stroke in the middle of `area`, as the curve looks."""
    pen = QPen(QColor(colour), thickness)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if DASHES[dash]:
        pen.setDashPattern(list(DASHES[dash]))
    painter.setPen(pen)
    painter.drawLine(QLineF(area.left(), area.center().y(), area.right(), area.center().y()))
