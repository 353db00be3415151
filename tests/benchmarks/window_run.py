"""Starts and steers the window of window_program.py, on a screen and with folders of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from turns import ROOT

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Place:
    """Where windows live for one benchmark: a screen, and folders for caches, data and settings."""

    screen: str
    """ "Xvfb 1600 × 1000", "offscreen", "the screen of this Mac" """
    environment: Mapping[str, str]


@contextmanager
def place() -> Iterator[Place]:
    """A place with empty folders; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="dyno-bench-") as folder:
        environment = {
            "DYNO_CACHE_DIR": f"{folder}/cache",
            "DYNO_DATA_DIR": f"{folder}/data",
            "DYNO_SETTINGS_FILE": f"{folder}/settings.ini",
        }
        with _screen() as (name, more):
            yield Place(name, {**os.environ, **environment, **more, "PYTHONPATH": str(ROOT)})


@contextmanager
def _screen() -> Iterator[tuple[str, dict[str, str]]]:
    if sys.platform == "darwin":
        yield "the screen of this Mac", {}
        return
    if shutil.which("Xvfb") is None:
        yield "offscreen (Xvfb is missing)", {"QT_QPA_PLATFORM": "offscreen"}
        return
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        try:
            yield "Xvfb 1600 × 1000", {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        finally:
            server.terminate()


class Window:
    """One run of the program; `notes` are its lines."""

    def __init__(self, place: Place, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        reading, writing = os.pipe()
        self.started_ns = time.monotonic_ns()
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "benchmarks" / "window_program.py"), *arguments],
            env={**place.environment, **(environment or {}), "DYNO_NOTES": str(writing)},
            pass_fds=(writing,),
            cwd=ROOT,
        )
        os.close(writing)
        self._notes: IO[str] = os.fdopen(reading)

    def wait_for(self, what: str) -> int:
        """`time.monotonic_ns` of that note. Raises RuntimeError when the program ends without it."""
        for line in self._notes:
            note = json.loads(line)
            if note["what"] == what:
                return int(note["ns"])
        raise RuntimeError(f"the window ended without “{what}”, status {self.process.wait(PATIENCE_S)}")

    def end(self) -> None:
        """Close the window as `kill` does, and wait for the program's end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._notes.close()
        if status != 0:
            raise RuntimeError(f"the window ended with status {status}")


@contextmanager
def window(place: Place, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Window]:
    """A run of the program that is ended at the end of the block."""
    running = Window(place, *arguments, environment=environment)
    try:
        yield running
    finally:
        running.end()


def out_file(folder: str) -> Path:
    """Where a live run writes its archive."""
    return Path(folder) / "live.npz"
