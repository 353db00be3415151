"""A window without a screen, with fake engines and settings of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

if "DISPLAY" not in os.environ or os.environ.get("QT_QPA_PLATFORM") is None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

from app.engine.targets import TARGETS, Target
from app.i18n import use_language
from app.paths import resource
from app.settings import Settings
from app.ui.lanes import Lanes
from app.ui.main_window import MainWindow
from app.ui.preferences import Preferences
from app.ui.settings_store import QtStore
from app.ui.stand import Stand
from tests.ui.fake_engine import FakeEngines
from tests.ui.fake_models import FakeInquiry, FakeTakeIn


@dataclass(frozen=True)
class Seen:
    """As `engine.probe.TargetState`."""

    target: Target
    available: bool
    reason: str = ""
    detail: str = ""


def seen(*available: str) -> list[Seen]:
    """The answer of a probe on a machine with these targets."""
    return [Seen(one, one.id in available, "" if one.id in available else f"no {one.id} here") for one in TARGETS]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings, data and caches of this test alone, and English."""
    monkeypatch.setenv("DYNO_SETTINGS_FILE", str(tmp_path / "settings.ini"))
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("LANGUAGE", "en")
    yield
    use_language("en", resource("locale"))


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    """A JPEG of 64 × 48 pixels."""
    path = tmp_path / "zebra.jpg"
    Image.fromarray(np.full((48, 64, 3), 128, np.uint8)).save(path)
    return path


@pytest.fixture
def engines() -> FakeEngines:
    return FakeEngines(automatic=True)


@pytest.fixture
def inquiry() -> FakeInquiry:
    return FakeInquiry()


@pytest.fixture
def take_in() -> FakeTakeIn:
    return FakeTakeIn()


@pytest.fixture
def open_window(
    qtbot, engines: FakeEngines, inquiry: FakeInquiry, take_in: FakeTakeIn
) -> Iterator[Callable[..., MainWindow]]:
    """Opens a window on a machine with the given targets; all windows are closed at the end."""
    opened: list[MainWindow] = []

    def open_one(*available: str, start: bool = True) -> MainWindow:
        from PySide6.QtWidgets import QApplication

        settings = Settings(QtStore())
        preferences = Preferences(QApplication.instance(), settings)
        preferences.apply_all()
        targets = available or ("mlx-gpu", "mlx-cpu")
        stand = Stand(Lanes(engines.open), settings, lambda: seen(*targets), take_in, inquiry)
        window = MainWindow(stand, preferences)
        opened.append(window)
        window.show()
        if start:
            window.start()
        return window

    yield open_one
    for window in opened:
        window.close()


@pytest.fixture
def answered(qtbot, open_window, photo_file: Path) -> MainWindow:
    """A window whose two lanes have answered for a photo."""
    window = open_window()
    window.open_path(photo_file)
    qtbot.waitUntil(lambda: len(window.stand.lanes.order) == 2 and all(s.answered for s in window.stand.lanes.states()))
    return window
