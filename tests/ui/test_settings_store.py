"""The window's settings in an INI file."""

from __future__ import annotations

import os
from pathlib import Path

from app.settings import Settings
from app.ui.settings_store import QtStore


def settings_file() -> Path:
    return Path(os.environ["DYNO_SETTINGS_FILE"])


def test_settings_survive_the_window():
    Settings(QtStore()).set("targets_off", ("mlx-cpu", "coreml-ne"))
    Settings(QtStore()).set("model", "/with, a comma/and “quotes”.mlpackage")
    again = Settings(QtStore())
    assert again.get("targets_off") == ("mlx-cpu", "coreml-ne")
    assert again.get("model") == "/with, a comma/and “quotes”.mlpackage"


def test_a_damaged_file_gives_defaults():
    settings_file().write_bytes(b"\x00\xff[[[broken\ntheme=\xff\xfe\ntop=9999")
    assert Settings(QtStore()).get("theme") == "system"
    assert Settings(QtStore()).get("top") == 5


def test_a_list_written_by_hand_is_not_lost():
    settings_file().write_text("[General]\nmodel=a, b\n")
    assert Settings(QtStore()).get("model") == "a, b"


def test_a_place_that_cannot_be_written_does_no_harm(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNO_SETTINGS_FILE", str(tmp_path / "file" / "settings.ini"))
    store, told = QtStore(), []
    store.tell = told.append
    settings = Settings(store)
    settings.set("theme", "dark")
    settings.set("top", 3)
    assert settings.get("theme") == "dark"
    assert len(told) == 1
    assert told[0].startswith("Your choices cannot be kept: ")
    assert not (tmp_path / "file").is_dir()
