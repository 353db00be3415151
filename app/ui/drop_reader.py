"""What was dropped or pasted: decided from the offered formats alone, before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from app.i18n import _, ngettext
from app.imaging.find import SUFFIXES

MODEL_SUFFIXES = (".mlpackage", ".mlmodel")

Kind = Literal["photo", "folder", "model", "pixels", "remote", "promise", "other", "nothing"]


@dataclass(frozen=True)
class Offer:
    """`path` for photo, folder and model; `detail` names what cannot be used."""

    kind: Kind
    path: Path | None = None
    detail: str = ""
    models: tuple[Path, ...] = ()
    """All models that came along, when a model did."""

    @property
    def is_usable(self) -> bool:
        return self.kind in ("photo", "folder", "model", "pixels")

    @property
    def sentence(self) -> str:
        """What will happen, or why nothing will."""
        return {
            "photo": _("Classify this photo"),
            "pixels": _("Classify this picture"),
            "folder": _("Classify the first photo of this folder"),
            "model": ngettext("Add this model", "Add these {count} models", len(self.models)).format(
                count=len(self.models)
            ),
            "remote": _("This is a web address. Save the picture first, or copy the picture itself and paste it."),
            "promise": _("The other program offers no file yet. Drag it to the desktop first, or copy and paste it."),
            "other": _("“{name}” is neither a photo nor a Core ML model.").format(name=self.detail),
            "nothing": _("No picture came with it. Save the picture as a file and drop that."),
        }[self.kind]


def read_offer(mime: QMimeData) -> Offer:
    """The first local file of use, else pixels, else a web address: browsers offer all three of one picture."""
    local = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    if local:
        offers = [offer_of(path) for path in local]
        models = tuple(dict.fromkeys(path for offer in offers for path in offer.models))
        found = next((offer for offer in offers if offer.is_usable), offers[0])
        return replace(found, models=models) if found.kind == "model" else found
    if mime.hasImage():
        return Offer("pixels")
    remote = next((url for url in mime.urls() if url.scheme() in ("http", "https")), None)
    if remote is not None:
        return Offer("remote", detail=remote.host())
    named = _path_in_text(mime)
    if named is not None:
        return offer_of(named)
    if any("promise" in name.lower() for name in mime.formats()):
        return Offer("promise")
    return Offer("nothing") if not mime.formats() or mime.hasText() else Offer("other", detail=mime.formats()[0])


def offer_of(path: Path) -> Offer:
    """What a file or folder is good for, by its name. A package is a folder that counts as a file."""
    if path.name == "Manifest.json" and path.parent.suffix.lower() == ".mlpackage":
        path = path.parent
    suffix = path.suffix.lower()
    if suffix in MODEL_SUFFIXES:
        return Offer("model", path, models=(path,))
    if path.is_dir():
        return Offer("folder", path)
    if suffix in SUFFIXES or not suffix:
        return Offer("photo", path)
    return Offer("other", path, path.name)


def picture_in(mime: QMimeData) -> QImage | None:
    """The pixels of a drop or of the clipboard; None when it holds none."""
    image = mime.imageData()
    return image if isinstance(image, QImage) and not image.isNull() else None


def _path_in_text(mime: QMimeData) -> Path | None:
    """A path or file URL that was copied as text, from a terminal for example."""
    text = mime.text().strip() if mime.hasText() else ""
    if text.startswith("file://"):
        from PySide6.QtCore import QUrl

        text = QUrl(text).toLocalFile()
    if not text or "\n" in text or len(text) > 4096:
        return None
    path = Path(text).expanduser()
    return path if path.is_absolute() and path.exists() else None
