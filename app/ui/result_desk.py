"""Copying and exporting what the cards show."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.errors import AppError
from app.i18n import _
from app.paths import shown_path
from app.ui import results
from app.ui.file_dialogs import ask_where_to_save
from app.ui.lane_state import LaneState
from app.ui.stand import Stand


class ResultDesk(QObject):
    """`notice` and `complaint` carry a sentence for the banner."""

    notice = Signal(str)
    complaint = Signal(object)

    def __init__(self, stand: Stand, parent: QWidget) -> None:
        super().__init__(parent)
        self._stand, self._window = stand, parent

    def copy(self) -> None:
        """A few lines of text for the clipboard."""
        rows = self._rows()
        if rows:
            QGuiApplication.clipboard().setText(results.as_text(self._states(), self._photo()))
            self.notice.emit(_("The results are in the clipboard."))

    def ask_where_to_export(self, folder: str) -> None:
        """Save as JSON or CSV, as they are at this moment."""
        rows = self._rows()
        if rows:
            name = f"{Path(self._photo()).stem or 'results'}.json"
            ask_where_to_save(self._window, folder, name, lambda path: self.export(path, rows))

    def export(self, path: Path, rows: list[dict]) -> None:
        try:
            results.write_results(path, rows)
        except AppError as error:
            self.complaint.emit(error)
        else:
            self.notice.emit(_("The results are in “{file}”.").format(file=shown_path(path)))

    def _rows(self) -> list[dict]:
        rows = results.result_rows(self._states(), self._photo(), self._stand.crop.value)
        if not rows:
            self.notice.emit(_("There are no results yet."))
        return rows

    def _states(self) -> list[LaneState]:
        return self._stand.lanes.states()

    def _photo(self) -> str:
        """The photo's path, or its name when it has none."""
        photo = self._stand.shown.photo if self._stand.shown else None
        return "" if photo is None else str(photo.path or photo.name)
