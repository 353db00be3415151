"""Starting: files that the system asks us to open, defects that nobody caught, appearance, menus."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtGui import QAction, QImage, QPalette
from PySide6.QtWidgets import QApplication

from app.errors import AppError, InternalError, PhotoMissing
from app.ui.actions import COMMANDS, shortcut_rows
from app.ui.appearance import apply_appearance, own_palette
from app.ui.application import begin
from app.ui.log import report_defects, start_log
from app.ui.theme import TEXT_CONTRAST, contrast_ratio

pytestmark = pytest.mark.gui

ROOT = Path(__file__).parent.parent.parent


def run_python(code: str) -> str:
    """Output of a Python program of its own: there can be only one QApplication in ours."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    return done.stdout.strip()


def test_files_that_the_system_asks_us_to_open_wait_for_a_window_and_are_told_afterwards():
    code = """
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from app.ui.application import Application
app = Application(["x"])
told = []
app.sendEvent(app, QFileOpenEvent("/photos/a.jpg"))
app.file_opened.connect(told.append)
app.sendEvent(app, QFileOpenEvent(QUrl.fromLocalFile("/models/b.mlpackage")))
print(app.waiting, told)
"""
    assert run_python(code) == "['/photos/a.jpg', '/models/b.mlpackage'] ['/models/b.mlpackage']"


@pytest.mark.parametrize(
    ("opened", "photo"), [([], "coffee.jpg"), (["Own.mlmodel"], "coffee.jpg"), (["zebra.jpg"], "zebra.jpg")]
)
def test_the_first_start_is_never_empty(qtbot, open_window, photo_file, opened, photo):
    (photo_file.parent / "Own.mlmodel").write_bytes(b"x")
    window = open_window(start=False)
    app = SimpleNamespace(
        waiting=[str(photo_file.parent / name) for name in opened],
        setWindowIcon=lambda icon: None,
        file_opened=SimpleNamespace(connect=lambda slot: None),
    )
    begin(app, window)
    qtbot.waitUntil(lambda: window.stand.shown is not None and window.stand.shown.photo.name == photo)
    qtbot.waitUntil(lambda: all(state.answered for state in window.stand.lanes.states()))


@pytest.fixture
def hooks(monkeypatch):
    """Whatever is hooked is unhooked afterwards."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)


def test_defects_of_all_threads_are_logged_and_told(hooks, caplog):
    told: list[AppError] = []
    report_defects(told.append)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    missing = PhotoMissing(photo="a.jpg")
    sys.excepthook(PhotoMissing, missing, None)
    assert isinstance(told[0], InternalError)
    assert "ZeroDivisionError" in str(told[0])
    assert told[1] is missing
    assert "ZeroDivisionError" in caplog.text


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "file"))
    before = logging.getLogger().handlers[:]
    try:
        start_log()
        assert "no log file" in capsys.readouterr().err
    finally:
        logging.getLogger().handlers[:] = before


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_text_of_our_own_palettes_can_be_read(appearance):
    palette = own_palette(appearance)
    roles = QPalette.ColorRole
    for text, ground in (
        (roles.WindowText, roles.Window),
        (roles.Text, roles.Base),
        (roles.ButtonText, roles.Button),
        (roles.ToolTipText, roles.ToolTipBase),
    ):
        assert contrast_ratio(palette.color(text).name(), palette.color(ground).name()) >= TEXT_CONTRAST


def test_an_appearance_can_be_taken_back(qapp):
    apply_appearance(qapp, "dark")
    assert qapp.palette().window().color().lightness() < 80
    apply_appearance(qapp, "system")
    assert qapp.palette().window().color().lightness() > 200


def test_every_command_has_its_own_keys_and_an_explicit_role(answered):
    keys = [keys for _name, keys in shortcut_rows()]
    assert len(keys) == len(set(keys))
    for command in COMMANDS:
        action = answered.menus.actions[command.id]
        assert action.menuRole() is not QAction.MenuRole.TextHeuristicRole
        assert action.text()


def test_every_command_does_something_without_a_photo_too(qtbot, open_window):
    window = open_window(start=False)
    for command in COMMANDS:
        if command.id not in ("quit", "full-screen"):
            window.menus.actions[command.id].trigger()
    for dialog in QApplication.topLevelWidgets():
        if dialog is not window:
            dialog.close()
    assert window.isVisible()


@pytest.mark.slow
@pytest.mark.mlx
def test_a_picture_of_the_real_window_is_drawn_without_a_screen(tmp_path):
    file = tmp_path / "window.png"
    command = [sys.executable, "-m", "app.ui.snapshot", str(file), "--size", "1100x720", "--scale", "2", "--live", "2"]
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    picture = QImage(str(file))
    assert (picture.width(), picture.height()) == (2200, 1440)
