"""What stands around and behind the curves: title, axes, grid, hint."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.ui.charts.axis import Tick
from app.ui.charts.crosshair import draw_swatch
from app.ui.fonts import scaled
from app.ui.numbers import tabular
from app.ui.theme import Theme

_SCALE = 0.88
_GAP = 6.0
_WIDEST_TICK = "8,888"
_SWATCH = 14.0


class Frame:
    """Texts and ticks of one chart, and how they are painted. Sizes in pixels."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.font = QFont()
        self.title = ""
        self.subtitle = ""
        """Unit and clock, behind the title in a lighter colour."""
        self.x_label = ""
        self.note = ""
        """Right of the title: what one must know to read the picture."""
        self.kinds: Sequence[tuple[str, str, float]] = ()
        """Line styles besides those of the lanes: name, dash, thickness."""
        self.hint = ""
        """Shown in the middle instead of curves."""
        self.x_ticks: Sequence[Tick] = ()
        self.y_ticks: Sequence[Tick] = ()

    @staticmethod
    def font_for(widget: QWidget) -> QFont:
        """The font of all texts: the window's, a little smaller, figures of one width."""
        return tabular(scaled(widget, _SCALE))

    def plot_area(self, whole: QRectF) -> QRectF:
        """Where the curves are. Does not depend on the ticks of the moment, so that nothing jumps."""
        metrics = QFontMetricsF(self.font)
        left = metrics.horizontalAdvance(_WIDEST_TICK) + _GAP
        top = metrics.height() + 2 * _GAP + self._kind_lines(metrics, whole.width()) * (metrics.height() + 2)
        bottom = 2 * metrics.height() + _GAP
        area = whole.adjusted(left, top, -2 * _GAP, -bottom)
        return QRectF(round(area.left()), round(area.top()), max(1, round(area.width())), max(1, round(area.height())))

    def paint(
        self, painter: QPainter, whole: QRectF, area: QRectF, ranges: Sequence[Sequence[float]], focused: bool
    ) -> None:
        """Everything; `ranges` are what the x and the y axis reach."""
        painter.fillRect(whole, QColor(self.theme.card))
        if focused:
            painter.setPen(QPen(QColor(self.theme.accent), 2))
            painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 6, 6)
        painter.setFont(self.font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        metrics = QFontMetricsF(self.font)
        self._paint_heading(painter, metrics, whole)
        if not self.hint:
            self._paint_y_axis(painter, metrics, area, ranges[1])
        self._paint_x_axis(painter, metrics, area, ranges[0])
        if self.hint:
            painter.setPen(QColor(self.theme.secondary_text))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(area.adjusted(_GAP, 0, -_GAP, 0), flags, self.hint)

    def _paint_heading(self, painter: QPainter, metrics: QFontMetricsF, whole: QRectF) -> None:
        base = _GAP + metrics.ascent()
        bold = QFont(self.font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(QPointF(_GAP, base), self.title)
        left = _GAP + QFontMetricsF(bold).horizontalAdvance(self.title) + _GAP
        painter.setFont(self.font)
        painter.setPen(QColor(self.theme.secondary_text))
        right = whole.right() - 2 * _GAP - metrics.horizontalAdvance(self.note)
        painter.drawText(QPointF(right, base), self.note)
        room = right - left - _GAP
        painter.drawText(QPointF(left, base), metrics.elidedText(self.subtitle, Qt.TextElideMode.ElideRight, room))
        for (name, dash, thickness), place in zip(self.kinds, self._kind_places(metrics, whole.width()), strict=True):
            top = place.y() + 2 * _GAP + metrics.height() - 2
            area = QRectF(place.x(), top, _SWATCH, metrics.height())
            draw_swatch(painter, area, self.theme.secondary_text, dash, thickness)
            painter.setPen(QColor(self.theme.secondary_text))
            painter.drawText(QPointF(place.x() + _SWATCH + 4, top + metrics.ascent()), name)

    def _kind_places(self, metrics: QFontMetricsF, width: float) -> list[QPointF]:
        """Left top corner of each entry of the legend of line styles, below the title; wraps."""
        places, x, y = [], _GAP, 0.0
        for name, _dash, _thickness in self.kinds:
            wide = _SWATCH + 4 + metrics.horizontalAdvance(name)
            if x > _GAP and x + wide > width - _GAP:
                x, y = _GAP, y + metrics.height() + 2
            places.append(QPointF(x, y))
            x += wide + 12
        return places

    def _kind_lines(self, metrics: QFontMetricsF, width: float) -> int:
        return len({place.y() for place in self._kind_places(metrics, width)})

    def _paint_y_axis(self, painter: QPainter, metrics: QFontMetricsF, area: QRectF, reach: Sequence[float]) -> None:
        grid, ink = QPen(QColor(self.theme.grid), 0), QColor(self.theme.secondary_text)
        for tick in self.y_ticks:
            y = area.bottom() - (tick.at - reach[0]) / (reach[1] - reach[0]) * area.height()
            if not area.top() - 1 <= y <= area.bottom() + 1:
                continue
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(ink)
            x = area.left() - _GAP - metrics.horizontalAdvance(tick.text)
            painter.drawText(QPointF(x, y + metrics.capHeight() / 2), tick.text)

    def _paint_x_axis(self, painter: QPainter, metrics: QFontMetricsF, area: QRectF, reach: Sequence[float]) -> None:
        painter.setPen(QPen(QColor(self.theme.hairline), 0))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(QColor(self.theme.secondary_text))
        base = area.bottom() + 4 + metrics.ascent()
        for tick in () if self.hint else self.x_ticks:
            middle = area.left() + (tick.at - reach[0]) / (reach[1] - reach[0]) * area.width()
            half = metrics.horizontalAdvance(tick.text) / 2
            left = min(max(middle - half, area.left() - 2), area.right() + 2 * _GAP - 2 * half)
            painter.drawText(QPointF(left, base), tick.text)
        label = metrics.elidedText(self.x_label, Qt.TextElideMode.ElideRight, area.width())
        left = area.center().x() - metrics.horizontalAdvance(label) / 2
        painter.drawText(QPointF(left, base + metrics.height()), label)
