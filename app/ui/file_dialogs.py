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


def ask_for_models(parent: QWidget, folder: str, chosen: Callable[[list[Path]], None]) -> QFileDialog:
    """Some .mlmodel files, or a .mlpackage, which is a folder: entering it in the dialog chooses it.

    A Mac's own dialog knows packages and selects them like files.
    """
    filters = [
        _("Core ML models ({endings})").format(endings="*.mlpackage *.mlmodel Manifest.json"),
        _("All files (*)"),
    ]
    dialog = _make(parent, _("Add model"), folder, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(lambda files: chosen([offer_of(Path(file)).path or Path(file) for file in files]))

    def on_entered(entered: str) -> None:
        if entered.lower().rstrip("/").endswith(MODEL_SUFFIXES[0]):
            dialog.close()
            chosen([Path(entered)])

    dialog.directoryEntered.connect(on_entered)
    dialog.open()
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
    return _show(_make(parent, title, folder, filters), chosen)


def _make(parent: QWidget, title: str, folder: str, filters: list[str]) -> QFileDialog:
    dialog = QFileDialog(parent, title, folder if Path(folder).is_dir() else QDir.homePath())
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(filters)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _show(dialog: QFileDialog, chosen: Chosen) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda file: chosen(Path(file)))
    dialog.open()
    return dialog
