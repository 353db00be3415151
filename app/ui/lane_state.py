"""What lanes are asked, and what the window shows of one: frozen values that travel between lanes, stand and panels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from app.engine.messages import Answer, Lane, MemoryReading
from app.engine.targets import Target
from app.errors import AppError

if TYPE_CHECKING:
    from app.bench.agreement import Agreement
    from app.bench.statistics import Summary
    from app.imaging.photo import Photo
    from app.imaging.view import Crop


WINDOW_S = 10.0
"""The live numbers cover the last ten seconds: long enough to be steady, short enough to show what changes."""

SLOW_STOP_MS = 500
"""A stop that takes longer is told of; most take one inference."""


class Phase(Enum):
    """What a lane is doing."""

    LOADING = "loading"
    READY = "ready"
    CLASSIFYING = "classifying"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, eq=False)
class Subject:
    """What the lanes are asked about. A new one, even of the same photo, asks for a new answer."""

    photo: Photo
    crop: Crop

    def looks_like(self, other: Subject | None) -> bool:
        return other is not None and other.photo is self.photo and other.crop is self.crop


class Step(Enum):
    """What a lane should do now."""

    CLASSIFY = "classify"
    RUN = "run"
    STOP = "stop"


@dataclass(frozen=True)
class Compared:
    """How a lane's answer relates to the reference lane's for the same photo."""

    reference: str
    """Shown name of the reference lane."""
    is_reference: bool
    agreement: Agreement | None
    """None for the reference itself, or while one of the two has no answer yet."""


@dataclass(frozen=True)
class Speed:
    """How many times as fast as the baseline lane, from the live medians of both."""

    baseline: str
    is_baseline: bool
    ratio: float | None


@dataclass(frozen=True)
class LaneState:
    """One lane at one moment. Times end with their unit; None is "not known", never zero."""

    lane: Lane
    target: Target
    phase: Phase
    stage: str | None = None
    """Name of the long step in progress while loading (see `messages.Stage`)."""
    seconds: float = 0.0
    """How long loading has taken so far, or took."""
    stopping_s: float = 0.0
    """How long a run has been asked to stop and has not; zero when none is."""
    top: tuple[Answer, ...] = ()
    answered: bool = False
    """Whether `top` is an answer at all; a model without classes answers with an empty one."""
    stale: bool = False
    """The answer belongs to an earlier photo or crop."""
    single_ms: float | None = None
    """Engine time of the last single inference."""
    prepare_ms: float | None = None
    total_ms: float | None = None
    """Of the same inference: from the photo to the model's input; from the photo to labels in hand."""
    live: Summary | None = None
    """Engine times of the newest run, last ten seconds."""
    images_per_s: float | None = None
    speed: Speed | None = None
    compared: Compared | None = None
    memory: MemoryReading | None = None
    device: str = ""
    device_is_certain: bool = True
    load_ms: float | None = None
    first_inference_ms: float | None = None
    from_cache: bool = False
    cache_note: str | None = None
    error: AppError | None = None
    shown_answers: int = 5
