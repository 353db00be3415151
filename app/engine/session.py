"""What the engine process expects of a runtime, and which runtime a lane gets.

A session is loaded, run and closed on the main thread of its own engine process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

import app.compiler.facts
from app.engine.messages import ImageInput, Load, MemoryReading, ModelFacts
from app.engine.targets import target


@dataclass(frozen=True)
class LoadFacts:
    """What is known once a model is loaded; the fields mean what they mean in `messages.Loaded`."""

    model: ModelFacts
    from_cache: bool
    cache_note: str | None
    device: str
    device_is_certain: bool


class Session(Protocol):
    """One model on one target. Every method raises AppError, or MemoryError; anything else is a defect."""

    def load(self, report_stage: Callable[[str], None]) -> LoadFacts:
        """Make the model ready to predict. `report_stage` is told the names of the long steps as they begin."""

    def predict(self, batch_nhwc: np.ndarray) -> tuple[dict[str, np.ndarray], int]:
        """All outputs by name, batch first, and the engine's own time in ns.

        `batch_nhwc` is uint8 RGB of the model's size, or grey with one channel (float16 for GRAYSCALE_FLOAT16). Class
        probabilities are N × classes in the order of the labels.
        """

    def memory(self) -> MemoryReading:
        """What the process takes now; a few milliseconds at most."""

    def close(self) -> None:
        """Let go of the model. The process ends right after."""


def photo_facts(facts: app.compiler.facts.ModelFacts) -> ModelFacts:
    """The message about a model that is fed with one photo. Raises ModelHasNoImageInput, UnsupportedModel."""
    image = app.compiler.facts.require_one_image(facts)
    return ModelFacts(
        name=facts.name,
        digest=facts.digest,
        kind=facts.kind,
        specification=facts.specification,
        image=ImageInput(name=image.name, width=image.width, height=image.height, colour=image.colour),
        outputs=facts.outputs,
        probabilities=facts.probabilities,
        labels=tuple(map(str, facts.labels)),
        size_bytes=facts.size_bytes,
        crop_fraction=facts.crop_fraction,
        interpolation=facts.interpolation,
        metadata=facts.metadata,
    )


OpenSession = Callable[[Load], Session]


def open_session(load: Load) -> Session:
    """The session of the lane's runtime; nothing is read yet. Imports that runtime's module and no other's."""
    if target(load.lane.target).runtime == "mlx":
        from app.engine.mlx_session import MlxSession

        return MlxSession(load)
    from app.engine.coreml_session import CoremlSession

    return CoremlSession(load)
