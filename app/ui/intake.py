"""What comes into the window: opened, dropped or pasted photos and models, handed to the stand."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage

from app.i18n import _
from app.ui.drop_reader import Offer, offer_of, picture_in, read_offer
from app.ui.stand import Stand


class Intake(QObject):
    """`photo_came` when there is something to classify."""

    photo_came = Signal()

    def __init__(self, stand: Stand, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stand = stand

    def open_path(self, path: Path) -> None:
        """A photo, folder or model from a dialog, a drop, the Dock or the command line."""
        self._take_offer(offer_of(path), None)

    def take(self, mime: QMimeData) -> None:
        """What was dropped or pasted."""
        self._take_offer(read_offer(mime), picture_in(mime))

    def paste(self) -> None:
        mime = QGuiApplication.clipboard().mimeData()
        if mime is None or read_offer(mime).kind == "nothing":  # None: a clipboard that nobody has filled yet
            self._stand.notice.emit(_("There is no picture in the clipboard."))
        else:
            self.take(mime)

    def _take_offer(self, offer: Offer, image: QImage | None) -> None:
        if offer.kind == "model":
            self._stand.models.add(offer.models)
        elif offer.kind in ("photo", "folder") and offer.path is not None:
            self.photo_came.emit()
            self._stand.open_photo(offer.path)
        elif offer.kind == "pixels" and image is not None:
            self.photo_came.emit()
            self._stand.show_pixels(image, _("Pasted picture"))
        else:
            self._stand.notice.emit(offer.sentence)
