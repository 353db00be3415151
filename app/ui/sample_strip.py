"""Thumbnails of the sample photos; arrow keys walk through them, each is classified as it is reached."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from app.errors import PhotoError
from app.i18n import _, language
from app.paths import resource
from app.ui.errand import Errand
from app.ui.picture import load_thumbnail
from app.ui.thumbnail_painter import ThumbnailPainter

log = logging.getLogger(__name__)

SIDE = 48
PATH = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Sample:
    """A photo that comes with the program; `titles` by language code."""

    path: Path
    titles: dict[str, str]

    @property
    def title(self) -> str:
        """In the current language, else in English."""
        return self.titles.get(language()) or self.titles["en"]


def samples() -> list[Sample]:
    """The sample photos in the order of their list, resources/samples/samples.json; none when that is damaged."""
    folder = resource("samples")
    try:
        rows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))["samples"]
        return [Sample(folder / row["file"], {"en": row["title"], "zh_TW": row["title_zh_TW"]}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        log.exception("sample photos")
        return []


class SampleStrip(QListWidget):
    """Thumbnails are made away from the window's thread, after `load` was called."""

    photo_wished = Signal(object)

    def __init__(self, shown: list[Sample], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sample-strip")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setDragEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 8, SIDE + 8))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # the wheel and the arrow keys scroll
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.setItemDelegate(ThumbnailPainter(self))
        self.setSpacing(0)
        self._samples = shown
        for sample in shown:
            item = QListWidgetItem()
            item.setData(PATH, sample.path)
            item.setSizeHint(QSize(SIDE + 8, SIDE + 8))
            self.addItem(item)
        self.setVisible(bool(shown))
        self._waiting = list(range(len(shown)))
        self._errand = Errand("thumbnails", self)
        self._errand.done.connect(self._on_thumbnail)
        self._errand.failed.connect(self._on_no_thumbnail)
        self.currentItemChanged.connect(self._on_current)
        self.itemClicked.connect(self._on_current)
        self._retranslate()

    def load(self) -> None:
        """Make the thumbnails, one after the other."""
        if self._waiting:
            path = self.item(self._waiting[0]).data(PATH)
            side = round(SIDE * self.devicePixelRatioF())
            self._errand.ask(lambda: square_thumbnail(path, side))

    def shutdown(self) -> None:
        self._errand.close()

    def mark(self, path: Path | None) -> bool:
        """Show which sample the photo is without asking for it again; whether it is one."""
        self.blockSignals(True)
        found = next((i for i in range(self.count()) if self.item(i).data(PATH) == path), -1)
        self.setCurrentRow(found)
        if found < 0:
            self.clearSelection()
        self.blockSignals(False)
        self.viewport().update()
        return found >= 0

    def sizeHint(self) -> QSize:
        return QSize(200, SIDE + 16)

    def minimumSizeHint(self) -> QSize:
        return QSize(SIDE * 2, SIDE + 16)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _on_thumbnail(self, ticket: int, image: QImage) -> None:
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.item(self._waiting.pop(0)).setIcon(QIcon(pixmap))
        self.load()

    def _on_no_thumbnail(self, ticket: int, error: PhotoError) -> None:
        self.item(self._waiting.pop(0)).setToolTip(str(error))
        self.load()

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.photo_wished.emit(item.data(PATH))

    def _retranslate(self) -> None:
        self.setAccessibleName(_("Sample photos"))
        for place, sample in enumerate(self._samples):
            self.item(place).setToolTip(sample.title)
            self.item(place).setData(Qt.ItemDataRole.AccessibleTextRole, sample.title)


def square_thumbnail(path: Path, side: int) -> QImage:
    """The middle square of a photo, `side` pixels. Raises PhotoError."""
    picture = load_thumbnail(path, side)
    if picture.width() < side:
        picture = picture.scaledToWidth(side, Qt.TransformationMode.SmoothTransformation)
    return picture.copy((picture.width() - side) // 2, (picture.height() - side) // 2, side, side)
