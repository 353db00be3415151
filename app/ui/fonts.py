"""The platform's own font in the few sizes that the window uses."""

from __future__ import annotations

import sys

from PySide6.QtGui import QFont, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication, QWidget

CHINESE = ("Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC", "PingFang TC")
"""Families with the letter forms of Taiwan: without one, Linux may pick Japanese forms for the same code points."""


def apply_language_font(app: QApplication, language: str) -> None:
    """Follow the platform's own font with a Traditional Chinese one where the platform does not do so itself."""
    if sys.platform == "darwin":
        return
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if language == "zh_TW":
        known = set(QFontDatabase.families())
        # The name behind an alias such as "Sans Serif": in a list of families Qt takes the first that exists by name.
        font.setFamilies([QFontInfo(font).family(), *(name for name in CHINESE if name in known)])
    app.setFont(font)


def scaled(widget: QWidget, factor: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The application's font, `factor` times as large."""
    font = QFont(QApplication.font())
    font.setPointSizeF(font.pointSizeF() * factor)
    font.setWeight(weight)
    return font
