"""How a sample photo is drawn in its strip: rounded, with a frame around the one that is shown."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.theme import current_theme

CORNER = 6.0


class ThumbnailPainter(QStyledItemDelegate):
    """Selection and focus are the frame; while the picture is being made, its place is."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = current_theme()
        place = QRectF(option.rect).adjusted(4, 4, -4, -4)
        state = option.state
        path = QPainterPath()
        path.addRoundedRect(place, CORNER, CORNER)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillPath(path, QColor(theme.hairline))
        painter.setClipPath(path)
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, place.toRect())
        painter.setClipping(False)
        if state & QStyle.StateFlag.State_Selected:
            self._frame(painter, place, QPen(QColor(theme.accent), 2.0))
        if state & QStyle.StateFlag.State_HasFocus:
            self._frame(painter, place.adjusted(-2.5, -2.5, 2.5, 2.5), QPen(QColor(theme.text), 1.0))
        painter.restore()

    def _frame(self, painter: QPainter, place: QRectF, pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place.adjusted(-0.5, -0.5, 0.5, 0.5), CORNER, CORNER)
