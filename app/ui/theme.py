"""Colours of everything that we draw ourselves, derived from the platform's palette.

All colours are "#rrggbb" strings, opaque: what looks translucent (grid, shade) is mixed with the card beforehand, which
is cheaper to paint and has a contrast that can be computed. Contrast is the one of WCAG 2.2, 1.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QGuiApplication, QPalette

TEXT_CONTRAST = 4.5
"""Least contrast of text against the card, WCAG level AA."""


@dataclass(frozen=True)
class Theme:
    """Every colour by the part it plays."""

    dark: bool
    text: str
    secondary_text: str
    background: str
    """Behind the cards."""
    card: str
    hairline: str
    """The one-pixel frame of a card, separators."""
    accent: str
    """The system's own accent colour; for fills and focus, not for text."""
    error: str
    success: str
    warning: str
    grid: str
    """Grid lines of a chart."""
    warmup_shade: str
    """Background of a chart where the samples are warm-up."""


def current_theme(palette: QPalette | None = None) -> Theme:
    """The theme that fits `palette`, or the application's own. Ask again when the palette changes."""
    palette = QGuiApplication.palette() if palette is None else palette
    window = palette.color(QPalette.ColorRole.Window).name()
    text = palette.color(QPalette.ColorRole.WindowText).name()
    dark = _luminance(window) < _luminance(text)
    # A dark platform's base colour is darker than its window; a card lies on the window, so it has to be lighter.
    card = mixed(window, text, 0.05) if dark else palette.color(QPalette.ColorRole.Base).name()
    text = readable(text, card, dark)
    red, green, amber = ("#ff6b60", "#5ac77a", "#e3b341") if dark else ("#c62828", "#1b7f3b", "#9a6700")
    return Theme(
        dark=dark,
        text=text,
        secondary_text=readable(mixed(text, card, 0.35), card, dark),
        background=window,
        card=card,
        hairline=mixed(card, text, 0.16),
        accent=palette.color(QPalette.ColorRole.Accent).name(),
        error=readable(red, card, dark),
        success=readable(green, card, dark),
        warning=readable(amber, card, dark),
        grid=mixed(card, text, 0.10),
        warmup_shade=mixed(card, text, 0.06),
    )


def lane_text_colour(colour: str, theme: Theme) -> str:
    """`colour` of a lane, moved towards black or white just so far that text in it can be read on the card.

    Fills and curves keep the lane's own colour.
    """
    return readable(colour, theme.card, theme.dark)


def readable(colour: str, on: str, dark: bool, contrast: float = TEXT_CONTRAST) -> str:
    """`colour`, lightened (dark theme) or darkened as little as gives `contrast` on the background `on`."""
    if contrast_ratio(colour, on) >= contrast:
        return colour
    goal = "#ffffff" if dark else "#000000"
    steps = 64
    for step in range(1, steps):
        moved = mixed(colour, goal, step / steps)
        if contrast_ratio(moved, on) >= contrast:
            return moved
    return goal


def contrast_ratio(one: str, other: str) -> float:
    """WCAG contrast of two colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG relative luminance, 0 (black) to 1 (white)."""
    shown = QColor(colour)
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (shown.redF(), shown.greenF(), shown.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(one: str, other: str, share: float) -> str:
    """`one` with `share` (0 to 1) of `other`, in sRGB."""
    a, b = QColor(one), QColor(other)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in parts)
