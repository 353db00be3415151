"""One lane's way from loading to running: what is known of it and what it should do next. No Qt, no process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.engine.messages import Classified, Lane, Loaded, MemoryReading
from app.engine.targets import target
from app.errors import AppError
from app.ui.lane_state import Compared, LaneState, Phase, Speed, Step, Subject
from app.ui.recent import RecentSamples, live_numbers

if TYPE_CHECKING:
    from app.bench.statistics import Summary


@dataclass
class LaneTrack:
    """Changes only through the `on_…` and `begin` methods, all called in the window's thread."""

    lane: Lane
    since_s: float
    """When loading began, on the clock of the caller."""
    phase: Phase = Phase.LOADING
    stage: str | None = None
    took_s: float | None = None
    facts: Loaded | None = None
    error: AppError | None = None
    awaiting: int | None = None
    """Number of the request in progress; an answer with another number is stale and dropped."""
    asked: Subject | None = None
    settled: Subject | None = None
    """Answered or refused; not asked again."""
    stopping_since_s: float = 0.0
    """When it was asked to stop; of interest while it is stopping."""
    answer: Classified | None = None
    answer_of: Subject | None = None
    live: Summary | None = None
    images_per_s: float | None = None
    samples: RecentSamples = field(default_factory=RecentSamples)

    @property
    def is_alive(self) -> bool:
        return self.phase not in (Phase.FAILED, Phase.CANCELLED)

    def next_step(self, subject: Subject | None, live: bool) -> Step | None:
        """What brings this lane nearer to what is wanted, or None when it is there or has to wait."""
        if self.phase is Phase.RUNNING and (not live or self.asked is not subject):
            return Step.STOP
        if self.phase is not Phase.READY or subject is None:
            return None
        if self.settled is not subject:
            return Step.CLASSIFY
        if live and self.error is None:
            return Step.RUN
        return None

    def begin(self, step: Step, subject: Subject | None, request: int, now_s: float) -> None:
        """The step is being carried out."""
        if step is Step.STOP:
            self.phase, self.stopping_since_s = Phase.STOPPING, now_s
            return
        self.phase = Phase.CLASSIFYING if step is Step.CLASSIFY else Phase.RUNNING
        self.asked, self.awaiting, self.error = subject, request, None

    def on_loaded(self, facts: Loaded, now_s: float) -> None:
        self.facts, self.phase, self.stage = facts, Phase.READY, None
        self.took_s = now_s - self.since_s

    def on_classified(self, answer: Classified, wanted: Subject | None) -> bool:
        """Whether the answer was wanted; it is dropped when it belongs to an earlier request or photo."""
        if answer.request != self.awaiting or self.phase is not Phase.CLASSIFYING:
            return False
        self.phase, self.awaiting = Phase.READY, None
        if self.asked is not wanted:
            return False
        self.answer, self.answer_of, self.settled = answer, self.asked, self.asked
        return True

    def on_run_finished(self, request: int) -> None:
        if request == self.awaiting and self.phase in (Phase.RUNNING, Phase.STOPPING):
            self.phase, self.awaiting = Phase.READY, None

    def on_failed(self, error: AppError, request: int | None) -> bool:
        """Whether the failure concerned us: the whole lane (no request) or the request in progress."""
        if request is None:
            self.phase, self.error, self.awaiting = Phase.FAILED, error, None
            return True
        if request != self.awaiting:
            return False
        self.phase, self.error, self.awaiting, self.settled = Phase.READY, error, None, self.asked
        return True

    def ask_again(self) -> None:
        """Forget a refusal, so that the same photo is tried once more."""
        self.settled, self.error = None, None

    def forget_run(self) -> None:
        """The numbers of the last run make room for those of a single inference."""
        self.live, self.images_per_s = None, None
        self.samples.clear()

    def refresh_numbers(self) -> None:
        """Recompute the live numbers; the earlier ones stay until there are enough new samples."""
        found = live_numbers(self.samples.newest_run(), self.lane.batch)
        if found is not None:
            self.live, self.images_per_s = found

    def memory(self) -> MemoryReading | None:
        """The newest reading: while running from the samples, else from the last answer or the loading."""
        footprint = self.samples.last_bytes("footprint")
        if footprint is not None:
            return MemoryReading(
                footprint_bytes=footprint,
                mlx_active_bytes=self.samples.last_bytes("mlx_active"),
                mlx_cache_bytes=self.samples.last_bytes("mlx_cache"),
                mlx_peak_bytes=self.samples.last_bytes("mlx_peak"),
            )
        if self.answer is not None:
            return self.answer.memory
        return self.facts.memory if self.facts is not None else None

    def state(
        self, subject: Subject | None, now_s: float, speed: Speed | None, compared: Compared | None, shown_answers: int
    ) -> LaneState:
        """The frozen picture of this moment."""
        answer, facts = self.answer, self.facts
        return LaneState(
            lane=self.lane,
            target=target(self.lane.target),
            phase=self.phase,
            stage=self.stage,
            seconds=self.took_s if self.took_s is not None else now_s - self.since_s,
            stopping_s=now_s - self.stopping_since_s if self.phase is Phase.STOPPING else 0.0,
            top=answer.top if answer else (),
            answered=answer is not None,
            stale=answer is not None and subject is not None and not subject.looks_like(self.answer_of),
            single_ms=answer.engine_ms if answer else None,
            prepare_ms=answer.prepare_ms if answer else None,
            total_ms=answer.total_ms if answer else None,
            live=self.live,
            images_per_s=self.images_per_s,
            speed=speed,
            compared=compared,
            memory=self.memory(),
            device=facts.device if facts else "",
            device_is_certain=facts.device_is_certain if facts else True,
            load_ms=facts.load_ms if facts else None,
            first_inference_ms=facts.first_inference_ms if facts else None,
            from_cache=facts.from_cache if facts else False,
            cache_note=facts.cache_note if facts else None,
            error=self.error,
            shown_answers=shown_answers,
        )
