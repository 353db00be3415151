"""An engine process for straight-line code: every call returns its answer or raises what went wrong.

with OpenLane(lane) as engine:
    answer = engine.classify(rgb, Crop.CENTRE)
    samples = engine.run(rgb, Crop.CENTRE, "quick")
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from app.engine.client import EngineClient
from app.engine.messages import Classified, Event, Failed, Lane, Loaded, RunFinished, RunMode, Stage
from app.engine.ring import SAMPLE
from app.errors import from_wire
from app.imaging.crop import Crop

_DRAIN_EVERY_S = 0.1
"""Between two looks at the samples and at `cancel`; often enough for the ring never to overflow."""


class OpenLane:
    """A started and loaded lane, open inside a `with`. One thread uses it.

    Entering raises AppError when the lane cannot be loaded. Leaving ends the process, also after KeyboardInterrupt.
    """

    def __init__(
        self,
        lane: Lane,
        on_stage: Callable[[str], None] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """`on_stage` is told the names of the loading steps, on the thread that enters; the rest: EngineClient."""
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._client = EngineClient(lane, self._events.put, environment=environment, command=command)
        self._on_stage = on_stage
        self._loaded: Loaded | None = None
        self._request = 0

    @property
    def loaded(self) -> Loaded:
        """What loading told."""
        assert self._loaded is not None, "an OpenLane is used inside its with"
        return self._loaded

    @property
    def pid(self) -> int | None:
        """Process id of the engine."""
        return self._client.pid

    def __enter__(self) -> Self:
        try:
            self._client.start()
            while self._loaded is None:
                event = self._take(self._events.get())
                if isinstance(event, Loaded):
                    self._loaded = event
                elif isinstance(event, Stage) and self._on_stage is not None:
                    self._on_stage(event.name)
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def classify(self, photo_rgb: np.ndarray, crop: Crop, *, top: int = 5, outputs: bool = False) -> Classified:
        """The answer to one photo (uint8 H×W×3). Raises AppError."""
        self._request += 1
        self._client.classify(photo_rgb, crop, request=self._request, top=top, outputs=outputs)
        while True:
            event = self._take(self._events.get())
            if isinstance(event, Classified) and event.request == self._request:
                return event

    def run(
        self,
        photo_rgb: np.ndarray,
        crop: Crop,
        mode: RunMode = "block",
        *,
        warmup: int | None = None,
        samples: int | None = None,
        seconds: float | None = None,
        cancel: threading.Event | None = None,
    ) -> np.ndarray:
        """All samples of one run, warm-up included and marked; dtype SAMPLE. Raises AppError.

        What is None is taken from the mode. Setting `cancel` ends the run after the inference in flight and returns
        what was measured so far. A live run needs it.
        """
        if mode == "live" and cancel is None:
            raise ValueError("a live run has no end of its own")
        self._request += 1
        self._client.run(photo_rgb, crop, mode, request=self._request, warmup=warmup, samples=samples, seconds=seconds)
        parts: list[np.ndarray] = []
        while not self._is_finished(cancel):
            parts.append(self._client.samples.read())
        parts.append(self._client.samples.read())
        every = np.concatenate(parts) if parts else np.empty(0, SAMPLE)
        return every[every["run"] == self._request]

    def _is_finished(self, cancel: threading.Event | None) -> bool:
        """Wait a moment for the end of the run."""
        if cancel is not None and cancel.is_set():
            self._client.stop()
        until = time.monotonic() + _DRAIN_EVERY_S
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._take(self._events.get(timeout=left))
            except queue.Empty:
                break
            if isinstance(event, RunFinished) and event.request == self._request:
                return True
        return False

    def _take(self, event: Event) -> Event:
        """The event; raises instead when it tells a failure of the lane or of the request that is waited for."""
        if isinstance(event, Failed) and event.request in (None, self._request):
            raise from_wire(event.error, event.fields)
        return event
