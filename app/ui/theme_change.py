"""Word of a change of theme, brought to every part of a window.

Qt's own `ApplicationPaletteChange` never arrives in a widget's `changeEvent` (PySide6 6.11), and `PaletteChange` cannot
be told from the one that a widget causes by colouring itself.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget

_TYPE = QEvent.Type(QEvent.registerEventType())


class ThemeChanged(QEvent):
    """Arrives in `customEvent`; `current_theme()` is the new one already."""

    def __init__(self) -> None:
        super().__init__(_TYPE)


def tell_parts(window: QWidget) -> None:
    """Send `ThemeChanged` to everything inside `window`, its dialogs included."""
    for part in window.findChildren(QWidget):
        QCoreApplication.sendEvent(part, ThemeChanged())
