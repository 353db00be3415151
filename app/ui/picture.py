"""Between photos (NumPy, imported when the first one comes) and pictures on the screen (QImage)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    import numpy as np

    from app.imaging.photo import Photo

LONGEST = 2048
"""Pixels of the long side that are kept for the screen; the engines get the whole photo."""


@dataclass(frozen=True, eq=False)
class ShownPhoto:
    """A photo and its picture for the screen, made together away from the window's thread."""

    photo: Photo
    picture: QImage


def load_photo(path: Path) -> ShownPhoto:
    """The photo of a file, or the first of a folder. Raises PhotoError."""
    from app.imaging.find import first_photo
    from app.imaging.photo import open_photo

    photo = open_photo(first_photo(path) if path.is_dir() else path)
    return ShownPhoto(photo, picture_of(photo.rgb_hwc, LONGEST))


def pasted_photo(image: QImage, name: str) -> ShownPhoto:
    """The photo of a picture from the clipboard or from a drag."""
    from app.imaging.photo import photo_from_rgb

    photo = photo_from_rgb(pixels_of(image), name)
    return ShownPhoto(photo, picture_of(photo.rgb_hwc, LONGEST))


def load_thumbnail(path: Path, height: int) -> QImage:
    """A small picture of a photo file, `height` pixels high. Raises PhotoError."""
    from app.imaging.photo import open_photo

    picture = picture_of(open_photo(path).rgb_hwc, LONGEST)
    return picture.scaledToHeight(height, Qt.TransformationMode.SmoothTransformation)


def picture_of(rgb_hwc: np.ndarray, longest: int) -> QImage:
    """A QImage of its own of an RGB uint8 array, at most `longest` pixels long."""
    import numpy as np

    height, width = rgb_hwc.shape[:2]
    step = max(1, max(width, height) // (2 * longest))  # coarse first: smooth scaling of everything takes too long
    rows = np.ascontiguousarray(rgb_hwc[::step, ::step]) if step > 1 else np.ascontiguousarray(rgb_hwc)
    image = QImage(rows.data, rows.shape[1], rows.shape[0], rows.strides[0], QImage.Format.Format_RGB888)
    if max(image.width(), image.height()) <= longest:
        return image.copy()  # the array may go; the picture stays
    return image.scaled(
        QSize(longest, longest), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def pixels_of(image: QImage) -> np.ndarray:
    """RGB uint8 H×W×3 of a QImage; transparent parts become white, as the photo files do."""
    import numpy as np

    if image.hasAlphaChannel():
        opaque = QImage(image.size(), QImage.Format.Format_RGB32)
        opaque.fill(Qt.GlobalColor.white)
        _paint_over(opaque, image)
        image = opaque
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def _paint_over(ground: QImage, image: QImage) -> None:
    from PySide6.QtGui import QPainter

    painter = QPainter(ground)
    painter.drawImage(0, 0, image)
    painter.end()
