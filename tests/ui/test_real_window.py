"""The real program on a real X server, with real engines and a real pointer.

A file is dragged from another X client (XDND) onto the photo, Run live is clicked, and numbers are read back.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.library.catalog import models
from app.paths import resource

pytestmark = [
    pytest.mark.x11,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        sys.platform != "linux" or not all(map(shutil.which, ("Xvfb", "xdotool"))),
        reason="needs Linux with Xvfb and xdotool: there is no other pointer to move here",
    ),
]

HERE = Path(__file__).parent
PATIENCE_S = 150.0
"""The first load of a model on a busy machine; only a failure waits so long."""


class Screen:
    """An X server of its own with a pointer."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._server.stdout is not None
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"},
            "DISPLAY": f":{self._server.stdout.readline().strip()}",
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONPATH": str(HERE.parent.parent),
        }

    def pointer(self, *words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=30)

    def click(self, place: list[int]) -> None:
        self.pointer("mousemove", *place, "click", 1)

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(10)
        if self._server.stdout is not None:
            self._server.stdout.close()


class Program:
    """One run of the program and what its window shows."""

    def __init__(self, screen: Screen, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.json"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "window_under_test.py"), str(self._file)], env=screen.environment
        )

    def state(self) -> dict[str, Any]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def wait_until(self, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first state for which that is so."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            state = self.state()
            if state and holds(state):
                return state
            assert self.process.poll() is None, f"the program ended while waiting for: {what}"
            time.sleep(0.05)  # between two looks at a file that another process writes
        pytest.fail(f"not within {PATIENCE_S:.0f} s: {what}; last seen {self.state()}")

    def answered(self) -> dict[str, Any]:
        return self.wait_until(lambda s: s["cards"] and not s["stale"], "an answer of every lane")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


@pytest.fixture
def program(screen: Screen, tmp_path: Path) -> Iterator[Program]:
    program = Program(screen, tmp_path, "first")
    yield program
    program.end()


@contextmanager
def drag(screen: Screen, file: Path, target: list[int], hovering: Callable[[], object]) -> Iterator[str]:
    """Drag `file` from another program to `target` on the screen; gives what that program was told at the end.

    `hovering` is called while the file is above the target, before it is let go. The other program lives to the end of
    the block: it is asked for the file's name only after the button was released.
    """
    source = subprocess.Popen(
        [sys.executable, str(HERE / "drag_source.py"), str(file), "10", "10"],
        env=screen.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert source.stdout is not None
        assert source.stdout.readline().strip() == "ready"
        screen.pointer("mousemove", 60, 50, "mousedown", 1)
        # A hand moves in steps: each one is told to the window below the pointer.
        steps = 20
        for step in range(1, steps + 1):
            x, y = (start + (end - start) * step // steps for start, end in zip((60, 50), target, strict=True))
            screen.pointer("mousemove", x, y)
        hovering()
        screen.pointer("mousemove", target[0] + 1, target[1], "mouseup", 1)
        yield source.stdout.readline().strip()
    finally:
        source.terminate()
        source.wait(10)
        if source.stdout is not None:
            source.stdout.close()


def test_drop_a_photo_run_live_read_numbers_stop(screen: Screen, program: Program, tmp_path: Path):
    first = program.answered()
    photo = tmp_path / "my tiger é.jpg"
    shutil.copy(resource("samples", "tiger.jpg"), photo)

    def hovering() -> None:
        program.wait_until(lambda s: s["hover"] == "Classify this photo", "the window says what a drop would do")

    with drag(screen, photo, first["controls"]["photo-well"], hovering) as told:
        assert told == "dropped CopyAction"
        dropped = program.wait_until(lambda s: photo.name in s["photo"] and not s["stale"], "answers for that photo")
    assert "tiger" in dropped["bars"]["mlx-cpu"]

    screen.click(dropped["controls"]["run-live"])
    live = program.wait_until(lambda s: all(n >= 20 for n in s["live_n"].values()), "20 live samples of every lane")
    card = live["cards"]["mlx-cpu"]
    assert float(card[1].replace(",", "")) > 0
    assert card[2] == "ms"
    assert "median" in card
    assert any(text.startswith("p95 ") and text.endswith(" /s") for text in card)
    assert any(text.endswith("MB") for text in card)

    screen.click(live["controls"]["run-live"])
    stopped = program.wait_until(lambda s: set(s["phases"].values()) == {"ready"}, "all lanes stopped")
    assert stopped["banners"] == []


def test_drop_a_model_run_it_look_into_it(screen: Screen, program: Program, tmp_path: Path):
    first = program.answered()
    model = tmp_path / "my modèle.mlpackage"
    shutil.copytree(models()[0].path, model)

    def hovering() -> None:
        program.wait_until(lambda s: s["hover"] == "Add this model", "the window says what a drop would do")

    with drag(screen, model, first["controls"]["photo-well"], hovering) as told:
        assert told == "dropped CopyAction"
        program.wait_until(lambda s: s["model"] == "my modèle", "the model in the library and chosen")
    shutil.rmtree(model)
    ready = program.answered()
    assert ready["models"] == ["my modèle"]
    assert ready["bars"]["mlx-cpu"] == first["bars"]["mlx-cpu"]

    screen.click(ready["controls"]["page 2"])
    seen = program.wait_until(lambda s: s["verdict"] != "", "what the model holds")
    assert seen["verdict"] == "✓ MLX runs this model."
    assert seen["banners"] == []


def test_a_killed_engine_shows_its_card_as_failed_and_nothing_is_left_at_the_end(screen: Screen, program: Program):
    ready = program.answered()
    screen.click(ready["controls"]["run-live"])
    program.wait_until(lambda s: all(n >= 5 for n in s["live_n"].values()), "live samples")
    os.kill(program.state()["pids"][0], signal.SIGKILL)
    failed = program.wait_until(lambda s: "failed" in s["phases"].values(), "the failed card")
    assert any("SIGKILL" in text for card in failed["cards"].values() for text in card)
    left = program.children()
    begun = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(10) == 0
    assert time.monotonic() - begun < 4.0
    _gone, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []


def test_closing_while_the_model_is_being_loaded_leaves_nothing(program: Program):
    loading = program.wait_until(lambda s: "loading" in s["phases"].values(), "a lane that is loading")
    assert loading["pids"]
    left = program.children()
    program.process.send_signal(signal.SIGINT)
    assert program.process.wait(10) == 0
    _gone, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []


def test_two_windows_at_once(screen: Screen, program: Program, tmp_path: Path):
    second = Program(screen, tmp_path, "second")
    try:
        for one in (program, second):
            state = one.answered()
            assert state["banners"] == []
    finally:
        second.end()
    assert program.process.poll() is None
    assert second.process.returncode == 0
