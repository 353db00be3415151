"""One line about the photo: its name, size, format, how long reading it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.i18n import _
from app.imaging.notes import note_text
from app.ui.lane_words import DOT
from app.ui.numbers import MS, show_ms, with_unit
from app.ui.words import CutWords

if TYPE_CHECKING:
    from app.imaging.photo import Photo


class PhotoLine(CutWords):
    """Cut in the middle when there is no room; the tool tip says all, with what was converted."""

    def __init__(self) -> None:
        super().__init__("secondary_text", 0.9, cut=Qt.TextElideMode.ElideMiddle)

    def show_photo(self, photo: Photo) -> None:
        height, width = photo.rgb_hwc.shape[:2]
        parts = [photo.name, f"{width} × {height}", photo.format]
        self.setText(DOT.join(parts))
        decoded = _("read in {time}").format(time=with_unit(show_ms(photo.decode_ms), MS))
        self.setToolTip("\n".join([DOT.join([*parts, decoded]), *(note_text(note) for note in photo.notes)]))

    def _tell_whole(self) -> None:
        """The tool tip is set with the photo."""
