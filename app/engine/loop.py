"""One pass of a photo through a model, and the loop of passes that is a measured run.

Nothing here may cost time that the engine would otherwise have: no second thread, no garbage collection, memory read a
few times a second and never inside a timed span.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from app.engine.answers import top_answers
from app.engine.messages import Answer, MemoryReading, ModelFacts, Run
from app.engine.ring import NOT_READ, SampleWriter
from app.engine.session import Session
from app.errors import UnsupportedModel
from app.imaging.crop import Crop, prepare
from app.imaging.grey import to_grey

MEMORY_EVERY_NS = 250_000_000
"""Between two readings of the memory in a run; on Linux one costs the kernel a walk over all pages of the process."""

_DEFAULT_TOP = 5


@dataclass(slots=True)
class Pass:
    """What one pass gave. `probabilities` is None when the model is no classifier; `end_ns` is `perf_counter_ns`."""

    outputs: dict[str, np.ndarray]
    probabilities: np.ndarray | None
    top: tuple[Answer, ...]
    prepare_ns: int
    engine_ns: int
    total_ns: int
    end_ns: int


class Line:
    """A loaded session with the steps before and after it: decoded photo in, labels out."""

    def __init__(self, session: Session, model: ModelFacts, batch: int) -> None:
        self._session = session
        self._model = model
        self._size = (model.image.width, model.image.height)
        self._grey = model.image.colour in ("GRAYSCALE", "GRAYSCALE_FLOAT16")
        # A photo has 256 shades; a model for float16 gets the same 0 to 255, as from an 8-bit picture.
        dtype = np.float16 if model.image.colour == "GRAYSCALE_FLOAT16" else np.uint8
        shape = (batch, model.image.height, model.image.width, 1 if self._grey else 3)
        self._batch_nhwc = np.zeros(shape, dtype)

    def run(self, photo_hwc: np.ndarray, crop: Crop, top: int = _DEFAULT_TOP) -> Pass:
        """One pass; in a batch of more than one the photo is repeated and the first answer counts."""
        model, batch_nhwc = self._model, self._batch_nhwc
        start = time.perf_counter_ns()
        seen_hwc = prepare(photo_hwc, self._size, crop, model.crop_fraction, model.interpolation)
        batch_nhwc[:] = to_grey(seen_hwc) if self._grey else seen_hwc
        prepared = time.perf_counter_ns()
        outputs, engine_ns = self._session.predict(batch_nhwc)
        probabilities: np.ndarray | None = None
        best: tuple[Answer, ...] = ()
        if model.probabilities is not None:
            all_probabilities = outputs[model.probabilities]
            probabilities = all_probabilities.reshape(len(batch_nhwc), -1)[0].astype(np.float32)
            best = top_answers(probabilities, model.labels, top)
        end = time.perf_counter_ns()
        return Pass(outputs, probabilities, best, prepared - start, engine_ns, end - start, end)

    def first(self) -> Pass:
        """The first pass after loading, on a black picture. Raises UnsupportedModel if labels and classes differ."""
        black_hwc = np.zeros((*self._batch_nhwc.shape[1:3], 3), np.uint8)
        done = self.run(black_hwc, Crop.STRETCH, top=0)
        if done.probabilities is not None and len(done.probabilities) != len(self._model.labels):
            cause = f"{len(self._model.labels)} labels for {len(done.probabilities)} classes"
            raise UnsupportedModel(model=self._model.name, cause=cause)
        return done


def run_loop(
    one_pass: Callable[[], Pass],
    run: Run,
    samples: SampleWriter,
    stop: threading.Event,
    read_memory: Callable[[], MemoryReading],
) -> tuple[int, bool]:
    """Pass after pass until `run` has what it wants or `stop` is set; measured samples, and whether it was stopped."""
    wanted = math.inf if run.samples is None else run.warmup + run.samples
    least_ns = int((run.seconds or 0) * 1e9)
    index = memory_due_ns = 0
    with _no_collections():
        since_ns = last_ns = time.perf_counter_ns()
        while index < wanted or last_ns - since_ns < least_ns:
            if stop.is_set():
                return max(0, index - run.warmup), True
            done = one_pass()
            memory: tuple[int, int, int, int] = (NOT_READ, NOT_READ, NOT_READ, NOT_READ)
            if done.end_ns >= memory_due_ns:
                memory = _as_numbers(read_memory())
                gc.collect()  # cheap, because everything older is frozen; here it is outside the timed spans
                memory_due_ns = time.perf_counter_ns() + MEMORY_EVERY_NS
            samples.write(
                run.request,
                index,
                index < run.warmup,
                done.end_ns,
                done.prepare_ns,
                done.engine_ns,
                done.total_ns,
                *memory,
            )
            index += 1
            last_ns = done.end_ns
            if index == run.warmup:
                since_ns = last_ns
    return index - run.warmup, False


@contextmanager
def _no_collections() -> Iterator[None]:
    """No garbage collection of its own accord: one over all that coremltools imports can outlast an inference."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _as_numbers(memory: MemoryReading) -> tuple[int, int, int, int]:
    parts = (memory.footprint_bytes, memory.mlx_active_bytes, memory.mlx_cache_bytes, memory.mlx_peak_bytes)
    footprint, active, cache, peak = (NOT_READ if part is None else part for part in parts)
    return footprint, active, cache, peak
