"""Text can be read in both themes, whatever the lane; fills keep their colour."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from PySide6.QtGui import QColor, QPalette

from app.engine.targets import TARGETS
from app.ui.theme import Theme, contrast_ratio, current_theme, lane_text_colour

pytestmark = pytest.mark.gui

# (window, base, text) as platforms really have them.
PALETTES = {
    "fusion light": ("#efefef", "#ffffff", "#000000"),
    "macos light": ("#ececec", "#ffffff", "#262626"),
    "fusion dark": ("#323232", "#242424", "#ffffff"),
    "macos dark": ("#323232", "#171717", "#dddddd"),
    "black": ("#000000", "#000000", "#ffffff"),
    "faint": ("#f0f0f0", "#f8f8f8", "#999999"),
}


def palette(name: str) -> QPalette:
    window, base, text = (QColor(colour) for colour in PALETTES[name])
    made = QPalette()
    made.setColor(QPalette.ColorRole.Window, window)
    made.setColor(QPalette.ColorRole.Base, base)
    made.setColor(QPalette.ColorRole.WindowText, text)
    return made


@pytest.fixture(params=PALETTES)
def theme(request: pytest.FixtureRequest, qapp: object) -> Theme:
    return current_theme(palette(request.param))


def test_contrast_is_the_one_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)  # the known near miss


@pytest.mark.parametrize("part", ["text", "secondary_text", "error", "success", "warning"])
def test_text_colours_can_be_read_on_a_card(theme: Theme, part: str) -> None:
    assert contrast_ratio(getattr(theme, part), theme.card) >= 4.5


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.id)
def test_lane_names_can_be_read_on_a_card(theme: Theme, target: object) -> None:
    assert contrast_ratio(lane_text_colour(target.colour, theme), theme.card) >= 4.5


def test_a_colour_that_can_be_read_already_is_not_touched(qapp: object) -> None:
    theme = current_theme(palette("fusion light"))
    assert lane_text_colour("#0072B2", theme) == "#0072B2"
    assert lane_text_colour("#E69F00", theme) != "#E69F00"


def test_lane_names_stay_told_apart(theme: Theme) -> None:
    assert len({lane_text_colour(target.colour, theme) for target in TARGETS}) == len(TARGETS)


def test_dark_is_recognised_and_cards_stand_out(qapp: object) -> None:
    light, dark = current_theme(palette("macos light")), current_theme(palette("macos dark"))
    assert (light.dark, dark.dark) == (False, True)
    assert QColor(light.card).lightness() > QColor(light.background).lightness()
    assert QColor(dark.card).lightness() > QColor(dark.background).lightness()


def test_every_colour_is_an_opaque_rgb(theme: Theme) -> None:
    for field in fields(theme):
        if field.name != "dark":
            assert re.fullmatch("#[0-9a-f]{6}", getattr(theme, field.name)), field.name


def test_accent_is_the_systems_own(qapp: object) -> None:
    made = palette("macos dark")
    made.setColor(QPalette.ColorRole.Accent, QColor("#bf5af2"))
    assert current_theme(made).accent == "#bf5af2"


def test_without_a_palette_the_applications_own_counts(qapp: object) -> None:
    from PySide6.QtGui import QGuiApplication

    assert current_theme() == current_theme(QGuiApplication.palette())
