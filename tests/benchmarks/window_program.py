"""The real window, as `python -m app` starts it, with someone inside who takes notes.

    window_program.py start                 notes `painted` and `answered`, then closes the window
    window_program.py live OUT MODEL…       runs these built-in models live until SIGTERM, then writes OUT

Notes are lines of JSON on the file descriptor that DYNO_NOTES names, with `time.monotonic_ns`, a clock that all
processes of a machine share. OUT is an archive: gaps_ns (between two turns of the event loop, asked for every 16 ms)
and for each lane end_ns and engine_ns of its measured samples.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
from lanes import lane
from PySide6.QtCore import Qt, QTimer

from app.ui import application
from app.ui.main_window import MainWindow

TURN_MS = 16
"""Once a picture of a 60 Hz screen."""

_notes = os.fdopen(int(os.environ["DYNO_NOTES"]), "w")


def note(what: str) -> None:
    """One line, at once."""
    print(json.dumps({"what": what, "ns": time.monotonic_ns()}), file=_notes, flush=True)


class StartProbe:
    """Notes when the window is on the screen and when its first answer is."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._answered = False
        window.painted.connect(lambda: note("painted"))
        window.stand.lanes.lane_changed.connect(self._on_lane_changed)

    def _on_lane_changed(self, key: str) -> None:
        if not self._answered and self._window.stand.lanes.state(key).answered:
            self._answered = True
            QTimer.singleShot(0, self._on_shown)  # comes after the painting that the answer asked for

    def _on_shown(self) -> None:
        note("answered")
        self._window.close()


class LiveProbe:
    """Runs lanes live and keeps every sample that the charts get, and the turns of the event loop."""

    def __init__(self, window: MainWindow, out: str, models: list[str]) -> None:
        self._window, self._out = window, out
        self._lanes = [lane(model) for model in models]
        self._turns_ns: list[int] = []
        self._samples: dict[str, list[np.ndarray]] = {one.key: [] for one in self._lanes}
        self._is_live = False
        self._read = window.stand.lanes.read_samples
        window.stand.lanes.read_samples = self._keep_samples  # type: ignore[method-assign]
        window.stand.lanes.lane_changed.connect(self._on_lane_changed)
        window.stand.targets_changed.connect(self._choose)  # after the window's own choice
        self._clock = QTimer(window)
        self._clock.setTimerType(Qt.TimerType.PreciseTimer)
        self._clock.setInterval(TURN_MS)
        self._clock.timeout.connect(lambda: self._turns_ns.append(time.monotonic_ns()))

    def _choose(self) -> None:
        self._window.stand.lanes.choose(self._lanes)

    def _on_lane_changed(self, _key: str) -> None:
        lanes = self._window.stand.lanes
        if self._is_live or lanes.order != [one.key for one in self._lanes]:
            return
        if all(state.answered for state in lanes.states()):
            self._is_live = True
            lanes.set_live(True)
            self._clock.start()
            note("live")

    def _keep_samples(self) -> dict[str, np.ndarray]:
        found = self._read()
        for key, samples in found.items():
            self._samples[key].append(samples[samples["warmup"] == 0])
        return found

    def write(self) -> None:
        """Everything that was kept."""
        arrays = {"gaps_ns": np.diff(np.array(self._turns_ns, dtype=np.int64))}
        for number, one in enumerate(self._lanes):
            samples = np.concatenate(self._samples[one.key])
            arrays[f"end_ns_{number}"], arrays[f"engine_ns_{number}"] = samples["end_ns"], samples["engine_ns"]
        np.savez(self._out, **arrays)


def main() -> int:
    probes: list[StartProbe | LiveProbe] = []
    complaints: list[str] = []
    build_window = application.build_window

    def build(*arguments: object) -> MainWindow:
        window = build_window(*arguments)  # type: ignore[arg-type]
        window.stand.complaint.connect(lambda error: complaints.append(str(error)))
        probes.append(StartProbe(window) if sys.argv[1] == "start" else LiveProbe(window, sys.argv[2], sys.argv[3:]))
        return window

    application.build_window = build
    status = application.run_window()
    if isinstance(probes[0], LiveProbe):
        probes[0].write()
    return status or len(complaints)  # what is measured of a window that complains is worth nothing


if __name__ == "__main__":
    sys.exit(main())
