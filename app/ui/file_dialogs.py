"""The open and save dialogs. Neither blocks: each tells its result by calling back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QDir, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.i18n import _
from app.imaging.find import SUFFIXES
from app.ui.drop_reader import MODEL_SUFFIXES, offer_of

Chosen = Callable[[Path], None]


def ask_for_photo(parent: QWidget, folder: str, chosen: Chosen) -> QFileDialog:
    """Any photo file."""
    endings = " ".join(f"*{suffix}" for suffix in sorted(SUFFIXES))
    filters = [_("Photos ({endings})").format(endings=endings), _("All files (*)")]
    return _open(parent, _("Open photo"), folder, filters, chosen)


def ask_for_model(parent: QWidget, folder: str, chosen: Chosen) -> QFileDialog:
    """A .mlmodel file or a .mlpackage, which is a folder: entering it in the dialog chooses it.

    A Mac's own dialog knows packages and selects them like files.
    """
    filters = [
        _("Core ML models ({endings})").format(endings="*.mlpackage *.mlmodel Manifest.json"),
        _("All files (*)"),
    ]
    dialog = _open(parent, _("Add model"), folder, filters, lambda path: chosen(offer_of(path).path or path))

    def on_entered(entered: str) -> None:
        if entered.lower().rstrip("/").endswith(MODEL_SUFFIXES[0]):
            dialog.close()
            chosen(Path(entered))

    dialog.directoryEntered.connect(on_entered)
    return dialog


def ask_where_to_save(parent: QWidget, folder: str, name: str, chosen: Chosen) -> QFileDialog:
    """Where results go: JSON or CSV by the ending."""
    dialog = QFileDialog(parent, _("Export results"), folder or QDir.homePath())
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(["JSON (*.json)", "CSV (*.csv)"])
    dialog.setDefaultSuffix("json")
    dialog.filterSelected.connect(lambda picked: dialog.setDefaultSuffix("csv" if "csv" in picked else "json"))
    dialog.selectFile(name)
    return _show(dialog, chosen)


def _open(parent: QWidget, title: str, folder: str, filters: list[str], chosen: Chosen) -> QFileDialog:
    dialog = QFileDialog(parent, title, folder if Path(folder).is_dir() else QDir.homePath())
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(filters)
    return _show(dialog, chosen)


def _show(dialog: QFileDialog, chosen: Chosen) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda file: chosen(Path(file)))
    dialog.open()
    return dialog
