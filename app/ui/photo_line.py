"""One line about the photo: its name, size, format, how long reading it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt

from app.i18n import _
from app.imaging.notes import note_text
from app.ui.lane_words import DOT
from app.ui.numbers import MS, show_ms, with_unit
from app.ui.words import CutWords, one_line

if TYPE_CHECKING:
    from app.imaging.photo import Photo


class PhotoLine(CutWords):
    """Cut in the middle when there is no room; the tool tip says all, with what was converted."""

    def __init__(self) -> None:
        super().__init__("secondary_text", 0.9, cut=Qt.TextElideMode.ElideMiddle)
        self._photo: Photo | None = None
        self._is_sample = False

    def show_photo(self, photo: Photo, is_sample: bool) -> None:
        """Beside a sample stands what to do for a photo of one's own."""
        self._photo, self._is_sample = photo, is_sample
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._write()

    def _write(self) -> None:
        photo = self._photo
        if photo is None:
            return
        height, width = photo.rgb_hwc.shape[:2]
        parts = [one_line(photo.name), f"{width} × {height}", photo.format]
        self._cut = Qt.TextElideMode.ElideRight if self._is_sample else Qt.TextElideMode.ElideMiddle
        self.setText(_("Drop your own photo") if self._is_sample else DOT.join(parts))
        decoded = _("read in {time}").format(time=with_unit(show_ms(photo.decode_ms), MS))
        self.setToolTip("\n".join([DOT.join([*parts, decoded]), *(note_text(note) for note in photo.notes)]))

    def _tell_whole(self) -> None:
        """The tool tip is set with the photo."""
