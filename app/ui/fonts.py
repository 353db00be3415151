"""The platform's own font in the few sizes that the window uses."""

from __future__ import annotations

import math
import sys

from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QTextLayout
from PySide6.QtWidgets import QApplication, QWidget

from app.i18n import language

CHINESE = ("Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC", "PingFang TC")
"""Families with the letter forms of Taiwan: without one, Linux may pick Japanese forms for the same code points."""


def apply_language_font(app: QApplication, code: str) -> None:
    """Follow the platform's own font with a Traditional Chinese one where the platform does not do so itself."""
    if sys.platform == "darwin":
        return
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if code == "zh_TW":
        known = set(QFontDatabase.families())
        # The name behind an alias such as "Sans Serif": in a list of families Qt takes the first that exists by name.
        font.setFamilies([QFontInfo(font).family(), *(name for name in CHINESE if name in known)])
    if app.devicePixelRatio() > 1:
        # Hinting snaps strokes to whole pixels, which makes Chinese characters look bold where pixels are small.
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    app.setFont(font)


def line_height(font: QFont) -> int:
    """Pixels that a line in the current language needs.

    A line takes the height of the tallest font in it, and Chinese comes from another font than Latin: without this,
    lines with and without Chinese, and the cards made of them, would differ by some pixels.
    """
    layout = QTextLayout("中A" if language() == "zh_TW" else "A", font)
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    return math.ceil(line.height())


def scaled(widget: QWidget, factor: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The application's font, `factor` times as large."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * factor)
    font.setWeight(weight)
    return font
