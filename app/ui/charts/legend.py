"""Which curve is which lane."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import _
from app.ui.charts.crosshair import draw_swatch
from app.ui.charts.lane_style import LaneStyle
from app.ui.fonts import scaled
from app.ui.theme import Theme, lane_text_colour

_SWATCH, _TIGHT, _GAP, _LEADING = 30.0, 6.0, 18.0, 4.0
_SCALE = 0.92


class Legend(QWidget):
    """Swatch and name of each lane, and of the warm-up when `warmup`; wraps into as many lines as it needs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lanes: tuple[LaneStyle, ...] = ()
        self._warmup = False
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_lanes(self, lanes: Sequence[LaneStyle], warmup: bool) -> None:
        """Show these lanes, and what the shaded ground means if some is in sight."""
        if (tuple(lanes), warmup) == (self._lanes, self._warmup):
            return
        self._lanes, self._warmup = tuple(lanes), warmup
        self.setAccessibleName(_("Legend: {lanes}").format(lanes=", ".join(lane.name for lane in lanes)))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def retranslate(self) -> None:
        """The names come translated; only our own words change."""
        lanes, self._lanes = self._lanes, ()
        self.show_lanes(lanes, self._warmup)

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(self.width()))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._places(width)
        line = QFontMetricsF(scaled(self, _SCALE)).height()
        return round(max((place.y() for place in places), default=0.0) + line + _LEADING)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(scaled(self, _SCALE))
        metrics = QFontMetricsF(painter.font())
        places = self._places(self.width())
        for lane, place in zip(self._lanes, places, strict=False):
            area = QRectF(place.x(), place.y(), _SWATCH, metrics.height())
            draw_swatch(painter, area, lane.colour, lane.dash, 2.5)
            painter.setPen(QColor(lane_text_colour(lane.colour, self._theme)))
            painter.drawText(QPointF(place.x() + _SWATCH + _TIGHT, place.y() + metrics.ascent()), lane.name)
        if self._warmup:
            place = places[-1]
            painter.fillRect(QRectF(place.x(), place.y() + 1, _SWATCH, metrics.height() - 2), QColor(self._theme.grid))
            painter.setPen(QColor(self._theme.secondary_text))
            painter.drawText(QPointF(place.x() + _SWATCH + _TIGHT, place.y() + metrics.ascent()), _("warm-up"))
        painter.end()

    def _places(self, width: float) -> list[QPointF]:
        """Top left corner of every entry."""
        metrics = QFontMetricsF(scaled(self, _SCALE))
        names = [lane.name for lane in self._lanes] + ([_("warm-up")] if self._warmup else [])
        places, x, y = [], 0.0, _LEADING / 2
        for name in names:
            wide = _SWATCH + _TIGHT + metrics.horizontalAdvance(name)
            if x and x + wide > width:
                x, y = 0.0, y + metrics.height() + _LEADING
            places.append(QPointF(x, y))
            x += wide + _GAP
        return places
