"""System, light or dark: asked of the platform, painted ourselves where the platform has no say in it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

Appearance = Literal["system", "light", "dark"]
Role = QPalette.ColorRole

_SCHEMES = {
    "system": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}
_LIGHT = {
    Role.Window: "#f4f4f6",
    Role.WindowText: "#1c1c1e",
    Role.Base: "#ffffff",
    Role.AlternateBase: "#f7f7f9",
    Role.Text: "#1c1c1e",
    Role.Button: "#fdfdfd",
    Role.ButtonText: "#1c1c1e",
    Role.ToolTipBase: "#ffffff",
    Role.ToolTipText: "#1c1c1e",
    Role.PlaceholderText: "#76767c",
    Role.Highlight: "#0a66c2",
    Role.HighlightedText: "#ffffff",
    Role.Accent: "#0a66c2",
    Role.Link: "#0a66c2",
    Role.BrightText: "#ffffff",
    Role.Light: "#ffffff",
    Role.Midlight: "#e9e9ee",
    Role.Mid: "#c4c4ca",
    Role.Dark: "#a0a0a6",
    Role.Shadow: "#707076",
}
_DARK = {
    Role.Window: "#222225",
    Role.WindowText: "#f0f0f2",
    Role.Base: "#4c4c54",
    Role.AlternateBase: "#44444c",
    Role.Text: "#f0f0f2",
    Role.Button: "#48484f",
    Role.ButtonText: "#f0f0f2",
    Role.ToolTipBase: "#2c2c30",
    Role.ToolTipText: "#f0f0f2",
    Role.PlaceholderText: "#8e8e96",
    Role.Highlight: "#3b8eea",
    Role.HighlightedText: "#ffffff",
    Role.Accent: "#3b8eea",
    Role.Link: "#6cb0f5",
    Role.BrightText: "#ffffff",
    Role.Light: "#4a4a50",
    Role.Midlight: "#3e3e44",
    Role.Mid: "#2a2a2e",
    Role.Dark: "#131315",
    Role.Shadow: "#000000",
}
_DISABLED = {"light": "#9a9aa0", "dark": "#77777e"}


def apply_appearance(app: QApplication, wanted: Appearance) -> None:
    """Use that appearance from now on; open windows follow."""
    hints = app.styleHints()
    hints.setColorScheme(_SCHEMES[wanted])
    platform_follows = hints.colorScheme() is not Qt.ColorScheme.Unknown
    if platform_follows and wanted in ("system", hints.colorScheme().name.lower()):
        app.setPalette(QPalette())  # the platform's own
    else:
        # Plain X11 and the offscreen platform know no colour scheme and leave the palette as it is.
        app.setPalette(own_palette("dark" if wanted == "dark" else "light"))


def own_palette(appearance: Literal["light", "dark"]) -> QPalette:
    """The palette where the platform has none for that appearance."""
    palette = QPalette()
    for role, colour in (_DARK if appearance == "dark" else _LIGHT).items():
        palette.setColor(role, QColor(colour))
    for role in (Role.WindowText, Role.Text, Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED[appearance]))
    return palette
