"""`dyno demo` does the main job in the terminal and has the window drawn by another process."""

import os
import sys

import pytest

from app.cli import demo
from app.cli.main import run_command_line
from tests.cli.stand_in_rooms import StandInRooms

PICTURE = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(b'a picture'); sys.exit({status})"


@pytest.fixture
def drawing(monkeypatch):
    """Makes the process that draws run this code instead."""
    return lambda code: monkeypatch.setattr(demo, "module_command", lambda _module: [sys.executable, "-c", code])


def run(picture):
    return run_command_line(["demo", "--picture", str(picture)], StandInRooms())


def test_table_and_picture(drawing, tmp_path, capfd):
    drawing(PICTURE.format(status=0))
    picture = tmp_path / "new" / "window.png"
    assert run(picture) == 0
    out = capfd.readouterr().out
    assert "coffee.jpg" in out
    assert "MLX · CPU" in out
    assert out.endswith(f"A picture of the window is in {picture}.\n")
    assert picture.read_bytes() == b"a picture"


def test_picture_goes_to_the_users_data_by_default(drawing, tmp_path, monkeypatch):
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    drawing(PICTURE.format(status=0))
    assert run_command_line(["demo"], StandInRooms()) == 0
    assert (tmp_path / "data" / "window.png").exists()


def test_engine_that_failed_in_the_window_is_a_failure_with_a_picture(drawing, tmp_path, capfd):
    drawing(PICTURE.format(status=1))
    assert run(tmp_path / "window.png") == 1
    assert "window.png" in capfd.readouterr().out


def test_window_that_cannot_be_drawn(drawing, tmp_path, capfd):
    drawing("import sys; sys.exit(3)")
    old = tmp_path / "window.png"
    old.write_bytes(b"an old picture")
    assert run(old) == 1
    out, err = capfd.readouterr()
    assert "MLX · CPU" in out
    assert err == "dyno: The window could not be drawn (exit status 3).\n"
    assert not old.exists()


def test_folder_that_cannot_be_made(drawing, tmp_path, capfd):
    drawing(PICTURE.format(status=0))
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "window.png") == 1
    assert "could not be drawn" in capfd.readouterr().err


def test_says_why_when_there_is_no_display(drawing, tmp_path, capfd, monkeypatch):
    drawing(PICTURE.format(status=0))
    monkeypatch.setattr(demo, "has_display", lambda: False)
    run(tmp_path / "window.png")
    assert capfd.readouterr().out.startswith("There is no display")


def test_picture_never_replaces_what_is_no_regular_file(drawing, tmp_path, capfd):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert run_command_line(["demo", "--picture", str(pipe)], StandInRooms()) == 1
    assert pipe.is_fifo()
    assert "it is no regular file" in capfd.readouterr().err
