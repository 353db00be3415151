"""The other rooms for the tests of the command line: no engine process, no runtime, photos as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.cli.rooms import Rooms
from app.engine.targets import TARGETS, Target
from app.errors import ModelMissing
from app.i18n import N_
from app.library.catalog import ModelCard
from tests.bench.stand_ins import Stage


@dataclass(frozen=True)
class State:
    """The shape of app.engine.probe.TargetState."""

    target: Target
    available: bool
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Machine:
    """The shape of app.machine.facts.Machine, as far as the command line shows it."""

    chip: str = "Test chip"
    memory_bytes: int = 8_000_000_000
    neural_engine_cores: int | None = None


class StandInRooms(Rooms):
    """`available` are ids of targets; `behaviour` is by target, as for tests.bench.stand_ins.StandInEngine."""

    def __init__(self, available=("mlx-gpu", "mlx-cpu"), **behaviour):
        self.stage = Stage()
        self.available = available
        self.behaviour = behaviour
        self.card = ModelCard(
            id="lite0",
            name="EfficientNet-Lite0",
            path=Path("/models/cat.mlpackage"),
            weights="fp16",
            size_bytes=9_400_000,
            width=224,
            height=224,
            crop_fraction=0.875,
            interpolation="bicubic",
            built_in=True,
        )

    def target_states(self):
        reason = N_("Core ML needs macOS")
        return [
            State(one, True, detail="a device") if one.id in self.available else State(one, False, reason)
            for one in TARGETS
        ]

    def fresh_target_states(self):
        return self.target_states()

    def cpu_library(self):
        return "CPU, a fast library", None

    def open_engine(self, lane, on_stage):
        return self.stage.opening(**self.behaviour)(lane, on_stage)

    def models(self):
        return [self.card]

    def find_model(self, name_or_path):
        if name_or_path != self.card.id:
            raise ModelMissing(model=name_or_path, known=(self.card.id,))
        return self.card

    def machine(self):
        return Machine()
