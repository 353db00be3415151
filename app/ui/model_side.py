"""The list of models as it stands at the side of a page, connected to what is on the dyno."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.ui.model_picker import ModelPicker
from app.ui.stand import Stand

if TYPE_CHECKING:
    from app.library.card import ModelCard


class ModelSide(ModelPicker):
    """Leaves two wishes to the window: `add_wished` and `inspect_wished`."""

    def __init__(self, stand: Stand, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        models = self._models = stand.models
        self.model_wished.connect(models.choose)
        self.rename_wished.connect(models.rename)
        self.remove_wished.connect(models.remove)
        self.place_wished.connect(lambda card: show_in_folder(card.path))
        models.changed.connect(self._show)
        models.chosen.connect(self.show_chosen)
        self._show()

    def _show(self) -> None:
        model: ModelCard | None = self._models.model
        self.show_models(self._models.cards(), model)


def show_in_folder(path: Path) -> None:
    """Open the folder around `path`; a Mac's Finder also selects it."""
    if sys.platform == "darwin":
        subprocess.Popen(["/usr/bin/open", "-R", str(path)])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
