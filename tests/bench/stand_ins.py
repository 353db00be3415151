"""Engines, photos and readings for the tests of a race: no process, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from app.bench.pace import Pace
from app.bench.race import RacePlan
from app.engine.messages import Answer, Classified, ImageInput, Lane, Loaded, MemoryReading, ModelFacts
from app.engine.ring import SAMPLE
from app.imaging.crop import Crop
from app.machine.conditions import Conditions

MS = 1_000_000
MODEL = "/models/cat.mlpackage"
PHOTO = np.zeros((4, 6, 3), np.uint8)
MAINS = Conditions(on_battery=False, low_power_mode=False, thermal_state="nominal", load_1min=0.1)
BATTERY = Conditions(on_battery=True, low_power_mode=False, thermal_state="nominal", load_1min=0.1)
SHORT = Pace(mode="quick", rounds=6, warmup=3, block_warmup=1, samples=4)

FACTS = ModelFacts(
    name="cat",
    digest="ab" * 32,
    kind="mlProgram",
    specification=7,
    image=ImageInput(name="image", width=2, height=2, colour="RGB"),
    outputs=("label", "probabilities"),
    probabilities="probabilities",
    labels=("cat", "dog"),
    size_bytes=1000,
    crop_fraction=1.0,
    interpolation="bilinear",
    metadata={},
)


def lane(target="mlx-cpu", precision="fp32", batch=1, model=MODEL):
    return Lane(model=model, target=target, precision=precision, batch=batch)


def plan(*lanes, pace=SHORT, baseline=0):
    return RacePlan(lanes=lanes, crop=Crop.CENTRE, pace=pace, baseline=baseline)


@dataclass
class Stage:
    """What all stand-in engines share: a clock, and the order in which they were asked."""

    clock_ns: int = 0
    calls: list = field(default_factory=list)
    """("open" | "classify" | "run" | "close", lane)"""
    open: list = field(default_factory=list)

    def opening(self, **behaviour):
        """A function that opens stand-in engines; `behaviour` by target: see StandInEngine."""
        return lambda lane, on_stage: StandInEngine(
            self, lane, on_stage, **behaviour.get(lane.target.replace("-", "_"), {})
        )


class StandInEngine:
    """An engine that takes as long as it is told, and fails when it is told."""

    def __init__(
        self,
        stage,
        lane,
        on_stage,
        ms=2.0,
        probabilities=(0.9, 0.1),
        fail=None,
        error=None,
        on_run=None,
        cache_note=None,
    ):
        """`fail` names the call that raises `error`, or the number of the run that does."""
        self.stage, self.lane, self.on_stage = stage, lane, on_stage
        self.ms, self.probabilities = ms, np.asarray(probabilities, np.float32)
        self.fail, self.error, self.on_run = fail, error, on_run
        self.runs, self.cache_note = 0, cache_note

    def _called(self, name):
        self.stage.calls.append((name, self.lane))
        if self.fail == name:
            raise self.error

    def __enter__(self):
        self.on_stage("loading")
        self._called("open")
        self.stage.open.append(self.lane)
        self.loaded = Loaded(
            facts=FACTS,
            load_ms=12.0,
            from_cache=True,
            cache_note=self.cache_note,
            first_inference_ms=3.0,
            device="CPU",
            device_is_certain=True,
            memory=MemoryReading(footprint_bytes=100),
        )
        return self

    def __exit__(self, *_):
        self.stage.calls.append(("close", self.lane))
        self.stage.open.remove(self.lane)

    def classify(self, photo_rgb, crop, *, top=5, outputs=False):
        self._called("classify")
        order = np.argsort(-self.probabilities)[:top]
        return Classified(
            request=1,
            photo=1,
            top=tuple(
                Answer(index=int(i), label=FACTS.labels[i], probability=float(self.probabilities[i])) for i in order
            ),
            probabilities=self.probabilities.tobytes(),
            prepare_ms=0.5,
            engine_ms=2.0,
            total_ms=3.0,
            memory=MemoryReading(footprint_bytes=200),
        )

    def run(self, photo_rgb, crop, *, warmup, samples, seconds=None, cancel=None):
        self._called("run")
        self.runs += 1
        if self.fail == self.runs:
            raise self.error
        block = np.zeros(warmup + samples, SAMPLE)
        for index in range(len(block)):
            ms = self.ms(self.stage.clock_ns) if callable(self.ms) else self.ms
            self.stage.clock_ns += int((ms + 1) * MS)
            block[index] = (
                1,
                index,
                index < warmup,
                self.stage.clock_ns,
                MS // 2,
                ms * MS,
                (ms + 1) * MS,
                300,
                -1,
                -1,
                -1,
            )
        if self.on_run is not None:
            block = self.on_run(self.runs, block, cancel)
        return block
