"""The photo, with what the model sees of it; what is outside the crop is dimmed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import _
from app.imaging.view import BAR_GREY, Crop, View, view
from app.ui.card import CORNER
from app.ui.drop_reader import Offer
from app.ui.fonts import scaled
from app.ui.picture import ShownPhoto
from app.ui.theme import current_theme

DIMMED = QColor(0, 0, 0, 140)
BARS = QColor(BAR_GREY, BAR_GREY, BAR_GREY)
INSIDE = 12
SAY_READING_AFTER_MS = 200
"""Most photos are read faster than a message could be."""


class PhotoWell(QWidget):
    """Shows a photo and its crop, or how to get one; a click or Enter asks for the open dialog."""

    open_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("photo-well")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 120)
        self._shown: ShownPhoto | None = None
        self._view: View | None = None
        self._crop = Crop.CENTRE
        self._input: tuple[int, int] | None = None
        self._fraction = 1.0
        self._loading = ""
        self._loading_since = QTimer(self)
        self._loading_since.setSingleShot(True)
        self._loading_since.setInterval(SAY_READING_AFTER_MS)
        self._loading_since.timeout.connect(self.update)
        self.offer: Offer | None = None
        """What hovers over the window."""
        self._scaled: tuple[int, QSize, QPixmap] | None = None
        self._tell()

    # --- what to show -----------------------------------------------------------------------------------------------

    def show_photo(self, shown: ShownPhoto) -> None:
        self._shown = shown
        self.show_loading("")
        self._refresh_view()

    def show_loading(self, name: str) -> None:
        """A photo of that name is being read; empty when that ended without one."""
        self._loading = name
        if name:
            self._loading_since.start()
        else:
            self._loading_since.stop()
            self.update()

    def show_crop(self, crop: Crop, input_size: tuple[int, int] | None, crop_fraction: float) -> None:
        """How the photo becomes the model's input of `input_size` (width, height), None while that is not known."""
        self._crop, self._input, self._fraction = crop, input_size, crop_fraction
        self._refresh_view()

    def show_offer(self, offer: Offer | None) -> None:
        """What hovers over the window; None when nothing does any more."""
        if offer != self.offer:
            self.offer = offer
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 360)

    # --- events -----------------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._tell()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.open_wished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_wished.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_ground(painter)
        if self._shown is not None:
            self._paint_photo(painter, self._shown)
        if self.offer is not None:
            self._paint_message(painter, self.offer.sentence, self.offer.is_usable)
        elif self._loading and not self._loading_since.isActive():
            self._paint_message(painter, _("Reading {name}…").format(name=self._loading), True)
        elif self._shown is None:
            self._paint_message(painter, self._hint(), True, over_photo=False)
        painter.end()

    # --- painting ---------------------------------------------------------------------------------------------------

    def _paint_ground(self, painter: QPainter) -> None:
        theme = current_theme()
        focus = self.hasFocus()
        painter.setBrush(QColor(theme.card))
        painter.setPen(QPen(QColor(theme.accent if focus else theme.hairline), 2.0 if focus else 1.0))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), CORNER, CORNER)

    def _paint_photo(self, painter: QPainter, shown: ShownPhoto) -> None:
        if self._view is None or self._input is None or self._crop is Crop.CENTRE:
            place = self._fitted(shown.picture.width(), shown.picture.height())
            painter.drawPixmap(place.toRect(), self._pixmap(shown, place.toRect()))
            if self._view is not None:
                self._paint_crop(painter, place, self._boxed(place, shown, self._view))
            return
        canvas = self._fitted(*self._input)
        left, top, right, bottom = self._view.placed
        wide, high = canvas.width() / self._input[0], canvas.height() / self._input[1]
        place = QRectF(
            canvas.left() + left * wide, canvas.top() + top * high, (right - left) * wide, (bottom - top) * high
        )
        painter.fillRect(canvas, BARS)
        painter.drawPixmap(place.toRect(), self._pixmap(shown, place.toRect()))
        self._paint_crop(painter, canvas, canvas)

    def _paint_crop(self, painter: QPainter, whole: QRectF, seen: QRectF) -> None:
        outside = QPainterPath()
        outside.addRect(whole)
        inside = QPainterPath()
        inside.addRect(seen)
        painter.fillPath(outside - inside, DIMMED)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # A dark and a light line: visible on any photo.
        for colour, width in ((QColor(0, 0, 0, 120), 3.0), (QColor(255, 255, 255), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(seen)

    def _paint_message(self, painter: QPainter, text: str, usable: bool, over_photo: bool = True) -> None:
        theme = current_theme()
        area = QRectF(self.rect()).adjusted(INSIDE, INSIDE, -INSIDE, -INSIDE)
        if over_photo:
            painter.setPen(QPen(QColor(theme.accent if usable else theme.error), 2.0, Qt.PenStyle.DashLine))
            ground = QColor(theme.card)
            ground.setAlphaF(0.88)
            painter.setBrush(ground)
            painter.drawRoundedRect(area, CORNER - 2, CORNER - 2)
        painter.setFont(
            scaled(self, 1.15 if over_photo else 1.0, QFont.Weight.DemiBold if over_photo else QFont.Weight.Normal)
        )
        painter.setPen(QColor(theme.text if usable else theme.error))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(16, 16, -16, -16), int(flags), text)

    # --- geometry ---------------------------------------------------------------------------------------------------

    def _fitted(self, width: float, height: float) -> QRectF:
        """The largest centred rectangle of that shape; small photos are enlarged too, so that the crop can be seen."""
        room = QRectF(self.rect()).adjusted(INSIDE, INSIDE, -INSIDE, -INSIDE)
        factor = min(room.width() / width, room.height() / height)
        size = (max(1.0, width * factor), max(1.0, height * factor))
        return QRectF(room.center().x() - size[0] / 2, room.center().y() - size[1] / 2, *size)

    def _boxed(self, place: QRectF, shown: ShownPhoto, seen: View) -> QRectF:
        height, width = shown.photo.rgb_hwc.shape[:2]
        left, top, right, bottom = seen.box
        wide, high = place.width() / width, place.height() / height
        box = QRectF(place.left() + left * wide, place.top() + top * high, (right - left) * wide, (bottom - top) * high)
        return box.intersected(place)

    def _pixmap(self, shown: ShownPhoto, place: QRect) -> QPixmap:
        """The picture scaled once for that place; made again only when the photo or the size changes."""
        size = place.size() * self.devicePixelRatioF()
        if self._scaled is None or self._scaled[:2] != (id(shown), size):
            picture = shown.picture.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._scaled = (id(shown), size, QPixmap.fromImage(picture))
        return self._scaled[2]

    def _refresh_view(self) -> None:
        self._view = None
        if self._shown is not None and self._input is not None:
            height, width = self._shown.photo.rgb_hwc.shape[:2]
            self._view = view((width, height), self._input, self._crop, self._fraction)
        self._tell()

    def _hint(self) -> str:
        return _("Drop a photo anywhere in this window,\nclick here to open one, or paste one.")

    def _tell(self) -> None:
        self.setAccessibleName(_("Photo"))
        name = self._shown.photo.name if self._shown else ""
        self.setAccessibleDescription(_("Showing {name}").format(name=name) if name else self._hint())
        self.update()
