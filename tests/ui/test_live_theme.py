"""A change of theme while the window is open: afterwards it looks as if it had been started in that theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.settings import Settings
from app.ui.appearance import apply_appearance, own_palette
from app.ui.settings_store import QtStore
from app.ui.theme import current_theme
from app.ui.words import Words

pytestmark = pytest.mark.gui
OTHER = {"light": "dark", "dark": "light"}


@pytest.fixture(autouse=True)
def _light_again() -> Iterator[None]:
    yield
    apply_appearance(QApplication.instance(), "system")


def drawn(widget: QWidget) -> QImage:
    QCoreApplication.processEvents()
    return widget.grab().toImage()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_after_a_live_change_every_part_has_the_new_colours(qtbot, open_window, theme):
    pictures = {}
    for start in (theme, OTHER[theme]):
        Settings(QtStore()).set("theme", start)
        window = open_window(start=False)
        window.page.charts.open()
        window.banners.say("wrong")
        drawn(window)
        window._preferences.set("theme", theme)
        pictures[start] = drawn(window.centralWidget())
        window.hide()
    assert pictures[OTHER[theme]] == pictures[theme]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_follow_the_system_too(answered, theme):
    for palette in (own_palette(OTHER[theme]), own_palette(theme)):
        QApplication.setPalette(palette)  # as Qt does when the system changes
        QCoreApplication.processEvents()
        inks = {
            (label._tone, label.palette().color(QPalette.ColorRole.WindowText).name())
            for label in answered.findChildren(Words)
        }
        tones = {tone for tone, _ink in inks}
        assert {"text", "secondary_text"} <= tones
        assert inks == {(tone, getattr(current_theme(), tone)) for tone in tones}
