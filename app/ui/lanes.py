"""The lanes in front of the user: opens and closes them, hands them the photo, keeps their answers. No widgets.

Every request carries a number; what answers an older number is dropped. A lane is driven by `LaneTrack.next_step`:
whenever something changed, each lane is asked what it should do next.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.engine.messages import Classified, Failed, Lane, Loaded, RunFinished, RunStarted, Stage
from app.engine.targets import target
from app.errors import from_wire
from app.ui.lane_state import SLOW_STOP_MS, Compared, LaneState, Phase, Speed, Step, Subject
from app.ui.lane_worker import LaneWorker, OpenClient, open_engine

if TYPE_CHECKING:
    import numpy as np

    from app.bench.agreement import Agreement
    from app.ui.lane_track import LaneTrack

REFERENCE = ("mlx-cpu", "fp32")
"""Answers are compared with the fp32 result of the same file (measurement.md, 11)."""
CLOSE_WITHIN_S = 2.0


class Lanes(QObject):
    """All lanes of one model. `lane_changed(key)` tells of anything about one lane, `lanes_changed` of the set."""

    lanes_changed = Signal()
    lane_changed = Signal(str)
    lane_loaded = Signal(str, object)
    run_began = Signal(str)
    live_changed = Signal(bool)

    def __init__(
        self,
        open_client: OpenClient = open_engine,
        clock_s: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._open_client = open_client
        self._clock_s = clock_s
        self._tracks: dict[str, LaneTrack] = {}
        self._workers: dict[str, LaneWorker] = {}
        self._leaving: set[LaneWorker] = set()
        self._numbers = itertools.count(1)
        self._subject: Subject | None = None
        self._live = False
        self._baseline = "auto"
        self._shown_answers = 5

    # --- wishes -----------------------------------------------------------------------------------------------------

    def choose(self, lanes: Iterable[Lane]) -> None:
        """Exactly these lanes, in this order. Those that stay keep running; new ones start; others end."""
        wanted = {lane.key: lane for lane in lanes}
        for key in [key for key in self._tracks if key not in wanted]:
            self._end(key)
            del self._tracks[key]
        for key, lane in wanted.items():
            if key not in self._tracks:
                self._begin(lane)
        self._tracks = {key: self._tracks[key] for key in wanted}
        self.lanes_changed.emit()

    def show(self, subject: Subject | None) -> None:
        """Ask all lanes about this; in a live run they switch to it."""
        self._subject = subject
        for key in self._tracks:
            self._advance(key)

    def run_once(self) -> None:
        """Ask all lanes about the same photo again and show the time of that one inference."""
        if self._subject is not None:
            for track in self._tracks.values():
                track.forget_run()
            self.show(Subject(self._subject.photo, self._subject.crop))

    def set_live(self, live: bool) -> None:
        """Measure without end, or stop."""
        if live == self._live:
            return
        self._live = live
        self.live_changed.emit(live)
        for key in self._tracks:
            self._advance(key)

    def restart(self, key: str) -> None:
        """A new engine process for a lane that failed or was cancelled; the same again for one that refused a photo."""
        track = self._tracks.get(key)
        if track is None:
            return
        if track.is_alive:
            track.ask_again()
            self._advance(key)
            return
        self._end(key)
        self._begin(track.lane)
        self.lane_changed.emit(key)

    def cancel(self, key: str) -> None:
        """Give up loading one lane."""
        track = self._tracks.get(key)
        if track is not None and track.phase is Phase.LOADING:
            track.phase = Phase.CANCELLED
            self._end(key)
            self.lane_changed.emit(key)

    def use_baseline(self, target_id: str) -> None:
        """Speed is compared with this target's lane; "auto" takes MLX · CPU, or else the first lane."""
        self._baseline = target_id

    def use_shown_answers(self, count: int) -> None:
        """How many answers a lane gives, from the next photo on and at once for the one that is shown."""
        if count != self._shown_answers:
            self._shown_answers = count
            if self._subject is not None:
                self.show(Subject(self._subject.photo, self._subject.crop))

    def shutdown(self) -> None:
        """End all engine processes. Blocks until they are gone, about two seconds at most."""
        for key in list(self._tracks):
            self._end(key)
        deadline = time.monotonic() + CLOSE_WITHIN_S
        for worker in list(self._leaving):
            if not worker.wait(max(1, int((deadline - time.monotonic()) * 1000))):
                worker.close_now()
                worker.wait()
        self._leaving.clear()

    # --- what is known ----------------------------------------------------------------------------------------------

    @property
    def is_live(self) -> bool:
        return self._live

    @property
    def subject(self) -> Subject | None:
        return self._subject

    @property
    def order(self) -> list[str]:
        """Keys of the lanes as they are shown."""
        return list(self._tracks)

    def states(self) -> list[LaneState]:
        """What to show of all lanes now."""
        return [self.state(key) for key in self._tracks]

    def lane(self, key: str) -> Lane:
        return self._tracks[key].lane

    def state(self, key: str) -> LaneState:
        """What to show of that lane now."""
        return self._tracks[key].state(
            self._subject, self._clock_s(), self._speed(key), self._compared(key), self._shown_answers
        )

    def count(self, *phases: Phase) -> int:
        return sum(track.phase in phases for track in self._tracks.values())

    def loaded(self) -> Loaded | None:
        """Facts of the model from any lane that has read it."""
        return next((track.facts for track in self._tracks.values() if track.facts is not None), None)

    def read_samples(self) -> dict[str, np.ndarray]:
        """New samples of each lane since the last call; the charts' timer is the only caller."""
        found = {}
        for key, worker in self._workers.items():
            samples = worker.read_samples()
            if samples is not None and len(samples):
                self._tracks[key].samples.add(samples)
                found[key] = samples
        return found

    def refresh_numbers(self) -> None:
        """Recompute live medians, rates and memory of the lanes that run. Twice a second is enough."""
        for track in self._tracks.values():
            if track.phase in (Phase.RUNNING, Phase.STOPPING):
                track.refresh_numbers()

    # --- comparing --------------------------------------------------------------------------------------------------

    def baseline_key(self) -> str | None:
        """The lane that speeds are compared with: the chosen target's, else MLX · CPU's, else the first."""
        return self._key_of(self._baseline) or self._key_of("mlx-cpu") or next(iter(self._tracks), None)

    def reference_key(self) -> str | None:
        """The lane that answers are compared with: fp32 on the MLX CPU when it is there, else the baseline."""
        for key, track in self._tracks.items():
            if (track.lane.target, track.lane.precision) == REFERENCE and track.is_alive:
                return key
        return self.baseline_key()

    def _key_of(self, target_id: str) -> str | None:
        return next((key for key, track in self._tracks.items() if track.lane.target == target_id), None)

    def _speed(self, key: str) -> Speed | None:
        base = self.baseline_key()
        if base is None or len(self._tracks) < 2:
            return None
        mine, theirs = self._tracks[key].live, self._tracks[base].live
        ratio = theirs.median / mine.median if mine and theirs and mine.median > 0 else None
        return Speed(target(self._tracks[base].lane.target).shown_name, key == base, ratio)

    def _compared(self, key: str) -> Compared | None:
        reference = self.reference_key()
        if reference is None or len(self._tracks) < 2:
            return None
        name = target(self._tracks[reference].lane.target).shown_name
        if key == reference:
            return Compared(name, True, None)
        return Compared(name, False, self._agreement(self._tracks[reference], self._tracks[key]))

    def _agreement(self, reference: LaneTrack, other: LaneTrack) -> Agreement | None:
        import numpy as np

        from app.bench.agreement import compare

        right, given = reference.answer, other.answer
        if right is None or given is None or reference.answer_of is None:
            return None
        if not reference.answer_of.looks_like(other.answer_of):
            return None
        rows = [np.frombuffer(answer.probabilities, np.float32) for answer in (right, given)]
        return compare(*rows) if rows[0].size and rows[0].size == rows[1].size else None

    # --- lanes coming and going -------------------------------------------------------------------------------------

    def _begin(self, lane: Lane) -> None:
        from app.ui.lane_track import LaneTrack  # brings numpy, which would delay the first picture of the window

        key = lane.key
        self._tracks[key] = LaneTrack(lane, self._clock_s())
        self._workers[key] = worker = LaneWorker(lane, self._open_client)
        worker.stage_changed.connect(self._on_stage)
        worker.loaded.connect(self._on_loaded)
        worker.classified.connect(self._on_classified)
        worker.run_started.connect(self._on_run_started)
        worker.run_finished.connect(self._on_run_finished)
        worker.failed.connect(self._on_failed)
        worker.start()

    def _end(self, key: str) -> None:
        worker = self._workers.pop(key, None)
        if worker is not None:
            self._leaving.add(worker)
            worker.finished.connect(self._on_worker_finished)
            worker.close()

    def _on_worker_finished(self) -> None:
        self._leaving = {worker for worker in self._leaving if not worker.isFinished()}

    def _track_of(self, worker: LaneWorker) -> LaneTrack | None:
        """None for what a worker still says after its lane was closed or restarted."""
        key = worker.lane.key
        return self._tracks.get(key) if self._workers.get(key) is worker else None

    def _advance(self, key: str) -> None:
        track, worker = self._tracks[key], self._workers.get(key)
        step = track.next_step(self._subject, self._live) if worker is not None else None
        if step is not None and worker is not None:
            request = next(self._numbers)
            track.begin(step, self._subject, request, self._clock_s())
            self._carry_out(step, worker, request)
        self.lane_changed.emit(key)

    def _carry_out(self, step: Step, worker: LaneWorker, request: int) -> None:
        if step is Step.STOP:
            worker.stop()
            # Nothing else redraws the card of an engine that does not answer.
            QTimer.singleShot(SLOW_STOP_MS + 50, self, lambda: self._tell_of(worker))
        elif self._subject is not None and step is Step.CLASSIFY:
            worker.classify(self._subject.photo.rgb_hwc, self._subject.crop, request, self._shown_answers)
        elif self._subject is not None:
            worker.run_live(self._subject.photo.rgb_hwc, self._subject.crop, request)

    def _tell_of(self, worker: LaneWorker) -> None:
        if track := self._track_of(worker):
            self.lane_changed.emit(track.lane.key)

    # --- what engines say -------------------------------------------------------------------------------------------

    def _on_stage(self, worker: LaneWorker, event: Stage) -> None:
        if track := self._track_of(worker):
            track.stage = event.name
            self.lane_changed.emit(track.lane.key)

    def _on_loaded(self, worker: LaneWorker, event: Loaded) -> None:
        if track := self._track_of(worker):
            track.on_loaded(event, self._clock_s())
            self.lane_loaded.emit(track.lane.key, event)
            self._advance(track.lane.key)

    def _on_classified(self, worker: LaneWorker, event: Classified) -> None:
        if track := self._track_of(worker):
            track.on_classified(event, self._subject)
            self._advance(track.lane.key)
            if track.lane.key == self.reference_key():
                for key in self._tracks:
                    self.lane_changed.emit(key)

    def _on_run_started(self, worker: LaneWorker, event: RunStarted) -> None:
        track = self._track_of(worker)
        if track and event.request == track.awaiting:
            self.run_began.emit(track.lane.key)

    def _on_run_finished(self, worker: LaneWorker, event: RunFinished) -> None:
        if track := self._track_of(worker):
            track.on_run_finished(event.request)
            self._advance(track.lane.key)

    def _on_failed(self, worker: LaneWorker, event: Failed) -> None:
        track = self._track_of(worker)
        if track and track.on_failed(from_wire(event.error, event.fields), event.request):
            if not track.is_alive:
                self._end(track.lane.key)
            self._advance(track.lane.key)
