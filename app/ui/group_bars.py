"""Where the time goes: one bar a group of operations, the longest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.ui.fonts import scaled
from app.ui.inspect_words import group_line, group_name
from app.ui.numbers import show_ms, tabular, with_unit
from app.ui.theme import current_theme
from app.ui.top_bars import PAD, TINT

if TYPE_CHECKING:
    from app.compiler.profile_report import GroupTime, Profile


class GroupBars(QWidget):
    """Bars start at zero and share one scale, so that their lengths can be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._profile: Profile | None = None
        self._colour = QColor()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_profile(self, profile: Profile, colour: str) -> None:
        """`colour` of the target that it was taken on."""
        self._profile, self._colour = profile, QColor(colour)
        rows = (f"{group_name(one.group)} {group_line(one, profile)}" for one in profile.groups)
        self.setAccessibleDescription("; ".join(rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, len(self._groups()) * self._row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = int(event.pos().y() // self._row_height())
            if 0 <= place < len(self._groups()):
                QToolTip.showText(event.globalPos(), self.details(place), self)
            return True
        return super().event(event)

    def details(self, place: int) -> str:
        """Each kind of operation of one group, a line a kind."""
        kinds = self._groups()[place].kinds
        return "\n".join(f"{count} × {kind}: {with_unit(show_ms(ms), 'ms')}" for kind, count, ms in kinds)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._profile is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(tabular(scaled(self, 1.0)))
        metrics = painter.fontMetrics()
        longest = max((group.ms for group in self._groups()), default=0.0) or 1.0
        figures = max((metrics.horizontalAdvance(group_line(one, self._profile)) for one in self._groups()), default=0)
        for place, group in enumerate(self._groups()):
            row = QRectF(0, place * self._row_height(), self.width(), self._row_height() - 2)
            self._paint_row(painter, row, group, group.ms / longest, figures)
        painter.end()

    def _groups(self) -> tuple[GroupTime, ...]:
        return self._profile.groups if self._profile else ()

    def _row_height(self) -> int:
        return self.fontMetrics().height() + PAD

    def _paint_row(self, painter: QPainter, row: QRectF, group: GroupTime, share: float, figures: int) -> None:
        assert self._profile is not None
        tint = QColor(self._colour)
        tint.setAlphaF(TINT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        room = row.width() - figures - 2 * PAD
        painter.drawRoundedRect(QRectF(row.left(), row.top(), max(3.0, room * share), row.height()), 4, 4)
        painter.setPen(QColor(current_theme().text))
        inner = row.adjusted(PAD, 0, 0, 0)
        line = group_line(group, self._profile)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), line)
        name = f"{group_name(group.group)}  × {group.count}"
        cut = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, max(0, int(room - PAD)))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), cut)
