"""A comparison of lanes that take turns: A B A B … in short blocks, never two at the same moment.

Turns, because a machine gets warmer, busier or calmer while it is watched: two halves of a pair that were measured
within seconds of each other saw the same machine, and their ratio keeps what the two absolute figures lose.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from app.bench.other_load import CpuTimes, other_load, read_cpu_times
from app.bench.pace import Pace
from app.engine.messages import Classified, Lane, Loaded
from app.engine.ring import SAMPLE
from app.errors import AppError
from app.imaging.crop import Crop
from app.machine.conditions import Conditions, read_conditions

log = logging.getLogger(__name__)

Step = Literal["loading", "loaded", "warming-up", "measuring", "measured", "failed"]
EndedBy = Literal["cancelled", "power-source-changed", "no-lane-left"]

REFERENCE_TARGET = "mlx-cpu"
"""Where the fp32 result of a file comes from when no lane of the race has it: the target that every machine has."""


class Engine(Protocol):
    """What a race needs of an open lane; `app.engine.blocking.OpenLane` is one."""

    @property
    def loaded(self) -> Loaded: ...

    def classify(self, photo_rgb: np.ndarray, crop: Crop, *, top: int = 5, outputs: bool = False) -> Classified: ...

    def run(
        self,
        photo_rgb: np.ndarray,
        crop: Crop,
        *,
        warmup: int,
        samples: int,
        seconds: float | None = None,
        cancel: threading.Event | None = None,
    ) -> np.ndarray: ...


OpenEngine = Callable[[Lane, Callable[[str], None]], AbstractContextManager[Engine]]
"""Starts the engine of a lane; the second argument is told the names of its loading stages."""


@dataclass(frozen=True)
class RacePlan:
    """What to race. `baseline` is the position in `lanes` that the others are compared with."""

    lanes: tuple[Lane, ...]
    crop: Crop
    pace: Pace
    baseline: int = 0


@dataclass(frozen=True)
class RaceProgress:
    """One step of one lane, told as it happens. `round` counts from 1; it is 0 while nothing is measured yet."""

    lane: int
    step: Step
    round: int = 0
    stage: str = ""
    """While loading: the engine's own name of what it does."""
    block: np.ndarray | None = None
    """With "measured": the samples of the round."""
    error: AppError | None = None


@dataclass
class LaneRun:
    """What was gathered about one lane."""

    lane: Lane
    loaded: Loaded | None = None
    classified: Classified | None = None
    blocks: dict[int, np.ndarray] = field(default_factory=dict)
    """Round -> its samples, with the warm-up, which is marked; round 0 is nothing but warm-up."""
    error: AppError | None = None

    def samples(self) -> np.ndarray:
        """All measured samples, dtype SAMPLE, oldest first, without the warm-up."""
        joined = np.concatenate([np.empty(0, SAMPLE), *(self.blocks[number] for number in sorted(self.blocks))])
        return joined[joined["warmup"] == 0]


@dataclass
class Race:
    """A race's raw result: every sample, and what surrounded it. `app.bench.report` makes the record of it."""

    plan: RacePlan
    runs: list[LaneRun]
    references: dict[str, np.ndarray]
    """Model path -> class probabilities of its fp32 result, where there is one."""
    conditions: list[Conditions]
    """Read at the start and after each round."""
    other_load: float | None = None
    ended_by: EndedBy | None = None


def run_race(
    plan: RacePlan,
    photo_rgb: np.ndarray,
    *,
    open_engine: OpenEngine,
    on_progress: Callable[[RaceProgress], None] = lambda _progress: None,
    cancel: threading.Event | None = None,
    conditions: Callable[[], Conditions] = read_conditions,
    cpu_times: Callable[[], CpuTimes] = read_cpu_times,
) -> Race:
    """The race of `plan` on one photo (H×W×3 uint8). Blocks until it is over; progress is told on this thread.

    A lane that fails is left out from then on and keeps its error and its samples; the others go on. Setting `cancel`
    ends the race after the inference in flight and keeps what was measured. Every engine that was started is closed
    on the way out.
    """
    race = Race(plan, [LaneRun(lane) for lane in plan.lanes], {}, [conditions()])
    turns = _Turns(race, photo_rgb, open_engine, on_progress, cancel or threading.Event())
    with turns.engines:
        turns.read_missing_references()
        turns.load()
        turns.answer()
        turns.warm_up()
        before = cpu_times()
        turns.measure(conditions)
        race.other_load = other_load(before, cpu_times())
    return race


class _Turns:
    """The lanes of one race while their engines are open."""

    def __init__(
        self,
        race: Race,
        photo_rgb: np.ndarray,
        open_engine: OpenEngine,
        tell: Callable[[RaceProgress], None],
        cancel: threading.Event,
    ) -> None:
        self.race = race
        self.engines = ExitStack()
        self.open: dict[int, Engine] = {}
        """Position of a lane -> its engine, while it works."""
        self._photo_rgb = photo_rgb
        self._open_engine = open_engine
        self._tell = tell
        self._cancel = cancel
        self._closings: dict[int, ExitStack] = {}

    def read_missing_references(self) -> None:
        """Get the fp32 result of the files for which no lane of the race gives it; each engine is closed again at
        once."""
        for model in dict.fromkeys(lane.model for lane in self.race.plan.lanes):
            if self._cancel.is_set() or any(_is_reference(lane, model) for lane in self.race.plan.lanes):
                continue
            lane = Lane(model=model, target=REFERENCE_TARGET, precision="fp32")
            try:
                with self._open_engine(lane, lambda _stage: None) as engine:
                    self._keep_reference(model, engine.classify(self._photo_rgb, self.race.plan.crop))
            except AppError as error:  # the lanes are then shown without agreement; their own errors tell the reason
                log.warning("no fp32 reference: %s", error)

    def load(self) -> None:
        """Open every lane, one after the other."""
        for index, run in enumerate(self.race.runs):
            if self._cancel.is_set():
                return
            self._tell(RaceProgress(index, "loading"))
            with self._failing(index):
                closing = self.engines.enter_context(ExitStack())
                engine = closing.enter_context(self._open_engine(run.lane, self._stage_teller(index)))
                self.open[index], self._closings[index], run.loaded = engine, closing, engine.loaded
                self._tell(RaceProgress(index, "loaded"))

    def answer(self) -> None:
        """Ask every lane what is in the photo."""
        for index, engine in list(self.open.items()):
            with self._failing(index):
                run = self.race.runs[index]
                run.classified = engine.classify(self._photo_rgb, self.race.plan.crop)
                if _is_reference(run.lane, run.lane.model):
                    self._keep_reference(run.lane.model, run.classified)

    def warm_up(self) -> None:
        """Run every lane without measuring."""
        for index in list(self.open):
            # A run measures at least once; nothing of this one counts.
            self._block(index, 0, warmup=self.race.plan.pace.warmup - 1, samples=1, step="warming-up")

    def measure(self, conditions: Callable[[], Conditions]) -> None:
        """Give each lane its block in turn, round after round, until the pace is fulfilled or something ends the
        race."""
        race, pace = self.race, self.race.plan.pace
        for number in range(1, pace.rounds + 1):
            for index in list(self.open):
                if not self._cancel.is_set():
                    self._block(index, number, pace.block_warmup, pace.samples, pace.seconds)
            race.conditions.append(conditions())
            race.ended_by = self._ending()
            if race.ended_by:
                return

    def _ending(self) -> EndedBy | None:
        if self._cancel.is_set():
            return "cancelled"
        if not self.open:
            return "no-lane-left"
        if self.race.conditions[-1].on_battery != self.race.conditions[0].on_battery:
            return "power-source-changed"
        return None

    def _block(
        self, index: int, number: int, warmup: int, samples: int, seconds: float | None = None, step: Step = "measuring"
    ) -> None:
        self._tell(RaceProgress(index, step, number))
        with self._failing(index):
            block = self.open[index].run(
                self._photo_rgb,
                self.race.plan.crop,
                warmup=warmup,
                samples=samples,
                seconds=seconds,
                cancel=self._cancel,
            )
            if number == 0:
                block["warmup"] = 1
            self.race.runs[index].blocks[number] = block
            self._tell(RaceProgress(index, "measured", number, block=block))

    def _keep_reference(self, model: str, classified: Classified) -> None:
        probabilities = np.frombuffer(classified.probabilities, dtype=np.float32)
        if probabilities.size:
            self.race.references[model] = probabilities

    def _stage_teller(self, index: int) -> Callable[[str], None]:
        return lambda stage: self._tell(RaceProgress(index, "loading", stage=stage))

    @contextmanager
    def _failing(self, index: int) -> Iterator[None]:
        """Take the lane out of the race when the work within fails."""
        try:
            yield
        except AppError as error:
            self.race.runs[index].error = error
            self.open.pop(index, None)
            self._closings.pop(index, ExitStack()).close()
            self._tell(RaceProgress(index, "failed", error=error))


def _is_reference(lane: Lane, model: str) -> bool:
    return lane.model == model and lane.precision == "fp32"
