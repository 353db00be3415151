"""What this is, in which versions; and the list of shortcuts."""

from __future__ import annotations

import platform

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from app import __version__
from app.i18n import _
from app.ui.actions import shortcut_rows
from app.ui.words import Words

# Read from the packages' metadata: neither runtime is imported into the window's process.
_PACKAGES = (
    ("MLX", "mlx"),
    ("coremltools", "coremltools"),
    ("PySide6", "PySide6-Essentials"),
    ("pyqtgraph", "pyqtgraph"),
)


def versions() -> list[tuple[str, str]]:
    """Name and version of what the program stands on."""
    from importlib import metadata

    found = [("Python", platform.python_version()), ("Qt", qVersion())]
    for name, package in _PACKAGES:
        try:
            found.append((name, metadata.version(package)))
        except metadata.PackageNotFoundError:
            found.append((name, _("not installed")))
    return found


def about_dialog(parent: QWidget) -> QDialog:
    """Name, purpose, versions."""
    dialog, column = _dialog(_("About Silicon Dyno"), parent)
    title = Words(size=1.6, weight=QFont.Weight.DemiBold)
    title.setText(f"Silicon Dyno {__version__}")
    column.addWidget(title)
    purpose = Words("secondary_text")
    purpose.setWordWrap(True)
    purpose.setText(
        _(
            "Runs one Core ML model on every engine of this machine and measures them side by side. "
            "Nothing leaves the machine."
        )
    )
    column.addWidget(purpose)
    column.addLayout(_table(versions()))
    return _finished(dialog, column)


def shortcuts_dialog(parent: QWidget) -> QDialog:
    """All commands that have keys."""
    dialog, column = _dialog(_("Keyboard shortcuts"), parent)
    column.addLayout(_table(shortcut_rows()))
    return _finished(dialog, column)


def _dialog(title: str, parent: QWidget) -> tuple[QDialog, QVBoxLayout]:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setMinimumWidth(400)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 24, 24, 16)
    column.setSpacing(16)
    return dialog, column


def _table(rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(0, 1)
    for place, (name, value) in enumerate(rows):
        left, right = Words(), Words("secondary_text")
        left.setText(name.replace("…", ""))
        right.setText(value)
        right.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(left, place, 0)
        grid.addWidget(right, place, 1, Qt.AlignmentFlag.AlignRight)
    return grid


def _finished(dialog: QDialog, column: QVBoxLayout) -> QDialog:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column.addWidget(buttons)
    return dialog
