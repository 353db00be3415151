"""A stand-in for `engine.client.EngineClient`: same methods, scripted answers, no process.

Events are delivered only when the test says so (`tell`), or at once with `FakeEngines(automatic=True)`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.engine.messages import (
    Answer,
    Classified,
    Event,
    Failed,
    ImageInput,
    Lane,
    Loaded,
    MemoryReading,
    ModelFacts,
    RunFinished,
    RunStarted,
    Stage,
)
from app.engine.ring import SAMPLE
from app.errors import AppError, to_wire
from app.imaging.crop import Crop

LABELS = ("tabby, tabby cat", "tiger cat", "Egyptian cat", "lynx, catamount", "red fox, Vulpes vulpes", "weasel")
PROBABILITIES = (0.81, 0.09, 0.04, 0.02, 0.01, 0.005)
MEMORY = MemoryReading(
    footprint_bytes=118_000_000, mlx_active_bytes=20_000_000, mlx_cache_bytes=5_000_000, mlx_peak_bytes=30_000_000
)


def facts(**changes: Any) -> ModelFacts:
    """Of a small cat classifier."""
    given: dict[str, Any] = {
        "name": "cats",
        "digest": "00",
        "kind": "mlProgram",
        "specification": 7,
        "image": ImageInput(name="image", width=224, height=224, colour="RGB"),
        "outputs": ("classLabel", "classLabel_probs"),
        "probabilities": "classLabel_probs",
        "labels": LABELS,
        "size_bytes": 9_000_000,
        "crop_fraction": 0.875,
        "interpolation": "bicubic",
        "metadata": {},
    }
    return ModelFacts(**{**given, **changes})


def loaded(device: str = "CPU, OpenBLAS 0.3.21 (2 threads)", certain: bool = True) -> Loaded:
    return Loaded(
        facts=facts(),
        load_ms=412.0,
        from_cache=False,
        cache_note=None,
        first_inference_ms=31.0,
        device=device,
        device_is_certain=certain,
        memory=MEMORY,
    )


def classified(
    request: int, order: tuple[int, ...] = (0, 1, 2, 3, 4), engine_ms: float = 12.3, top: int = 5
) -> Classified:
    """An answer whose likeliest classes are `order`."""
    row = np.zeros(len(LABELS), np.float32)
    answers = []
    for place, index in enumerate(order):
        row[index] = PROBABILITIES[place]
        answers.append(Answer(index=index, label=LABELS[index], probability=PROBABILITIES[place]))
    return Classified(
        request=request,
        photo=1,
        top=tuple(answers[:top]),
        probabilities=row.tobytes(),
        prepare_ms=1.1,
        engine_ms=engine_ms,
        total_ms=engine_ms + 1.4,
        memory=MEMORY,
    )


def failed(error: AppError, request: int | None = None) -> Failed:
    name, fields = to_wire(error)
    return Failed(request=request, error=name, fields=fields)


def samples(count: int, engine_ms: float, *, run: int = 1, first: int = 0, warmup: int = 0) -> np.ndarray:
    """`count` samples at a steady pace, one after the other, the last one now."""
    found = np.zeros(count, SAMPLE)
    step_ns = int((engine_ms + 1.0) * 1e6)
    found["run"] = run
    found["index"] = first + np.arange(count)
    found["warmup"][:warmup] = 1
    found["end_ns"] = time.perf_counter_ns() - step_ns * np.arange(count)[::-1]
    found["prepare_ns"] = 900_000
    found["engine_ns"] = int(engine_ms * 1e6)
    found["total_ns"] = step_ns
    for field in ("footprint", "mlx_active", "mlx_cache", "mlx_peak"):
        found[field] = -1
    found["footprint"][-1] = MEMORY.footprint_bytes
    return found


class FakeSamples:
    """What the engine has measured and nobody has read yet."""

    def __init__(self) -> None:
        self.waiting: list[np.ndarray] = []
        self.lost = 0

    def read(self) -> np.ndarray:
        found, self.waiting = self.waiting, []
        return np.concatenate(found) if found else np.empty(0, SAMPLE)


class FakeClient:
    """Records what was asked for; `tell` delivers an event as the real client's reader thread does."""

    def __init__(self, lane: Lane, on_event: Callable[[Event], None], engines: FakeEngines) -> None:
        self.lane = lane
        self.samples = FakeSamples()
        self.pid = 4711
        self.asked: list[tuple[str, Any]] = []
        self.closed = threading.Event()
        self._on_event = on_event
        self._engines = engines
        self._run: int | None = None

    def start(self) -> None:
        self.asked.append(("start", None))
        if self._engines.automatic:
            self.tell(Stage(name="loading"))
            self.tell(loaded(*self._engines.devices.get(self.lane.target, ())))

    def classify(self, photo_rgb: np.ndarray, crop: Crop, *, request: int, top: int = 5) -> None:
        self.asked.append(("classify", request))
        self.photo, self.crop, self.top = photo_rgb, crop, top
        if self._engines.automatic:
            order = self._engines.orders.get(self.lane.target, (0, 1, 2, 3, 4))
            self.tell(classified(request, order, self._engines.ms.get(self.lane.target, 12.3), top))

    def run(self, photo_rgb: np.ndarray, crop: Crop, mode: str, *, request: int) -> None:
        self.asked.append(("run", request))
        self._run = request
        if self._engines.automatic:
            self.tell(RunStarted(request=request))
            ms = self._engines.ms.get(self.lane.target, 12.3)
            self.samples.waiting.append(samples(200, ms, run=request, warmup=10))

    def stop(self) -> None:
        self.asked.append(("stop", self._run))
        if self._engines.automatic and self._run is not None:
            self.tell(RunFinished(request=self._run, measured=190, stopped=True))

    def close(self, grace_s: float = 2.0) -> None:
        self.closed.set()

    def tell(self, event: Event) -> None:
        """Deliver from a thread of its own, and wait until it has been handed on."""
        teller = threading.Thread(target=self._on_event, args=(event,))
        teller.start()
        teller.join()

    def last(self, kind: str) -> int:
        """Request number of the newest wish of that kind."""
        return next(value for name, value in reversed(self.asked) if name == kind)


class FakeEngines:
    """Opens `FakeClient`s and remembers them: give its `open` to `Lanes`."""

    def __init__(self, automatic: bool = False) -> None:
        self.automatic = automatic
        self.clients: list[FakeClient] = []
        self.ms: dict[str, float] = {}
        self.orders: dict[str, tuple[int, ...]] = {}
        self.devices: dict[str, tuple[str, bool]] = {}

    def open(self, lane: Lane, on_event: Callable[[Event], None]) -> FakeClient:
        client = FakeClient(lane, on_event, self)
        self.clients.append(client)
        return client

    def of(self, target: str) -> FakeClient:
        """The newest client of that target."""
        return next(client for client in reversed(self.clients) if client.lane.target == target)
