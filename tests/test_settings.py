"""The table of settings: every row usable, nothing stored can break it."""

from __future__ import annotations

import logging

import pytest

from app.settings import SETTINGS, DefaultsOnly, Settings


class Remembered:
    """A store in memory."""

    def __init__(self, **texts: str) -> None:
        self.texts = dict(texts)

    def read(self, key: str) -> str | None:
        return self.texts.get(key)

    def write(self, key: str, text: str) -> None:
        self.texts[key] = text


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_every_default_is_allowed_and_survives_being_stored(row):
    store = Remembered()
    Settings(store).set(row.key, row.default)
    assert Settings(store).get(row.key) == row.default


@pytest.mark.parametrize(
    ("key", "value"),
    [("top", 7), ("log_scale", True), ("theme", "dark"), ("targets_off", ("mlx-cpu", "mlx-gpu")), ("model", "a|b, c")],
)
def test_a_value_comes_back_as_it_was(key, value):
    store = Remembered()
    Settings(store).set(key, value)
    assert Settings(store).get(key) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [("theme", "pink"), ("top", "many"), ("top", "99"), ("log_scale", "1"), ("crop", ""), ("language", "fr")],
)
def test_a_bad_stored_value_gives_the_default_and_is_logged(key, text, caplog):
    default = next(row.default for row in SETTINGS if row.key == key)
    with caplog.at_level(logging.WARNING):
        assert Settings(Remembered(**{key: text})).get(key) == default
    assert key in caplog.text


@pytest.mark.parametrize(("key", "value"), [("theme", "pink"), ("top", "5"), ("top", 0), ("log_scale", 1)])
def test_setting_what_does_not_fit_is_a_defect_and_changes_nothing(key, value):
    store = Remembered()
    with pytest.raises(ValueError, match="is not"):
        Settings(store).set(key, value)
    assert store.texts == {}


def test_an_unknown_key_is_a_defect():
    with pytest.raises(KeyError):
        Settings(DefaultsOnly()).get("no such")


def test_the_command_line_has_the_defaults():
    settings = Settings(DefaultsOnly())
    settings.set("top", 3)
    assert settings.get("top") == 5
