"""The client's side of an engine process: one process for one lane.

    client = EngineClient(lane, on_event)
    client.start()                                   # Started, Stage…, Loaded or Failed(request=None)
    client.classify(rgb, Crop.CENTRE, request=1)     # Classified or Failed(request=1)
    client.run(rgb, Crop.CENTRE, "live", request=2)  # RunStarted, RunFinished or Failed(request=2); samples meanwhile
    client.close()

All methods but `close` return at once. A lane does one thing at a time: a newer `classify` or `run` stops the run in
progress, which is answered by RunFinished(stopped=True).
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from app.engine.child import module_command
from app.engine.messages import (
    Classified,
    Classify,
    Close,
    Event,
    Failed,
    Lane,
    Load,
    Loaded,
    Message,
    Run,
    RunFinished,
    RunMode,
    RunStarted,
    SetPhoto,
    Stop,
)
from app.engine.process import EngineProcess
from app.engine.ring import SampleReader
from app.engine.targets import target
from app.engine.wire import MAX_PHOTO_BYTES, Wire
from app.errors import AppError, BrokenFrame, EngineClosed, EngineDied, EngineSilent, from_wire, to_wire
from app.imaging.crop import Crop
from app.paths import cache_folder

log = logging.getLogger(__name__)

STOP_GRACE_S = 5.0
"""How long an inference in flight may take to end after Stop before its process is killed."""

_JOIN_S = 5.0
"""How long close() waits for its own threads; longer only when a callback of the user's does not return."""


@dataclass(frozen=True)
class RunLength:
    """Warm-up samples, measured samples (None: no end) and least seconds of measuring."""

    warmup: int
    samples: int | None
    seconds: float | None = None


RUN_LENGTHS: dict[RunMode, RunLength] = {
    "live": RunLength(10, None),
    "quick": RunLength(10, 100),
    "full": RunLength(10, 1024, 60.0),
    "block": RunLength(2, 20),
}
"""What a mode means where the caller does not say it."""


@dataclass
class _Pending:
    """A request without an answer."""

    request: int
    is_run: bool
    started: bool = False
    stop_grace_s: float | None = None
    """Set once Stop was asked for."""
    timer: threading.Timer | None = None
    """Runs from the moment that both are true: it has started, and should stop."""


class EngineClient:
    """One engine process for one lane. Any thread may call; `on_event` is called on threads of the client's, in turn.

    After `close` nothing comes any more but Failed(EngineClosed) for what was pending or is asked for later.
    """

    def __init__(
        self,
        lane: Lane,
        on_event: Callable[[Event], None],
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        """`environment` is set in the engine process on top of ours (thread counts); `command` starts another host.

        Raises UnknownTarget, and StorageError when there is no room for the samples.
        """
        self.lane = lane
        self._shown = target(lane.target).shown_name
        self.samples = SampleReader()
        self.pid: int | None = None
        """Of the engine process; stays when it has ended."""
        self._on_event = on_event
        self._environment = environment
        self._command = list(command or module_command("app.engine.host"))
        self._lock = threading.RLock()
        self._delivering = threading.RLock()
        self._outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._pending: dict[int, _Pending] = {}
        self._photo = 0
        self._sent_photo: weakref.ref[np.ndarray] | None = None
        self._process: EngineProcess | None = None
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._loaded = False
        self._closing = False
        self._failure: AppError | None = None
        """Why nothing more can be answered; None while the process lives."""
        self._silent_s: float | None = None

    def start(self) -> None:
        """Start the process and load the model. A second call is a mistake: RuntimeError."""
        with self._lock:
            if self._threads or self._closing:
                raise RuntimeError("an EngineClient is started once")
            self._outgoing.put(Load(lane=self.lane, cache_folder=str(cache_folder("compiled"))))
            try:
                self._process = process = EngineProcess(self._command, self._environment, self.samples.fd)
            except OSError as error:
                self._thread("refusing", self._refuse, EngineDied(target=self._shown, how=str(error), last_words=""))
            else:
                self.pid = process.pid
                self._thread("reading", self._read, process)
                self._thread("writing", self._write, process.wire)
            self.samples.close_fd()

    def classify(self, photo_rgb: np.ndarray, crop: Crop, *, request: int, top: int = 5, outputs: bool = False) -> None:
        """Ask for the `top` answers, with all of the model's outputs if wanted. `photo_rgb` is uint8 H×W×3.

        The photo is sent once and known by its identity as long as it is read-only; a writable array is sent each time.
        """
        self._ask(
            photo_rgb,
            lambda photo: Classify(request=request, photo=photo, crop=str(crop), top=top, outputs=outputs),
            _Pending(request, is_run=False),
        )

    def run(
        self,
        photo_rgb: np.ndarray,
        crop: Crop,
        mode: RunMode,
        *,
        request: int,
        warmup: int | None = None,
        samples: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Ask for samples, which arrive in `self.samples`. What is None is taken from the mode's row in RUN_LENGTHS."""
        length = RUN_LENGTHS[mode]
        self._ask(
            photo_rgb,
            lambda photo: Run(
                request=request,
                photo=photo,
                crop=str(crop),
                mode=mode,
                warmup=length.warmup if warmup is None else warmup,
                samples=length.samples if samples is None else samples,
                seconds=length.seconds if seconds is None else seconds,
            ),
            _Pending(request, is_run=True),
        )

    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """End the runs that were asked for. One that goes on for `grace_s` is killed with its process: EngineSilent."""
        with self._lock:
            running = [one for one in self._pending.values() if one.is_run and one.stop_grace_s is None]
            if running and self._failure is None:
                self._outgoing.put(Stop())
            for one in running:
                one.stop_grace_s = grace_s
                if one.started:
                    self._watch(one)

    def close(self, grace_s: float = 2.0) -> None:
        """End the process and wait until it is gone: asked first, killed after `grace_s` or while it is loading."""
        with self._lock:
            self._closing = True
            if self._loaded:
                self._outgoing.put(Close())
            if not self._threads:
                self._ended.set()
        ours = threading.current_thread() in self._threads  # called out of on_event: the thread cannot wait for itself
        if not self._loaded or ours or not self._ended.wait(grace_s):
            self._kill()
        self._outgoing.put(None)
        for thread in self._threads:
            if not ours:
                thread.join(_JOIN_S)
        self.samples.close()

    # --- requests ----------------------------------------------------------------------------------------------------

    def _ask(self, photo_rgb: np.ndarray, request: Callable[[int], Message], pending: _Pending) -> None:
        """Put a request, and the photo before it if the process does not have it, on their way."""
        _check_photo(photo_rgb)
        with self._lock:
            refusal = EngineClosed(target=self._shown) if self._closing else self._failure
            if refusal is None:
                self.stop(STOP_GRACE_S)
                self._pending[pending.request] = pending
                self._send_photo(photo_rgb)
                self._outgoing.put(request(self._photo))
                return
        failed = _failed(pending.request, refusal)
        if self._closing:
            self._deliver(failed)  # the writing thread may have ended
        else:
            self._outgoing.put(failed)

    def _send_photo(self, photo_rgb: np.ndarray) -> None:
        if self._sent_photo is not None and self._sent_photo() is photo_rgb and not photo_rgb.flags.writeable:
            return
        self._photo += 1
        self._sent_photo = weakref.ref(photo_rgb)
        # A writable array may be changed by the caller before it is on its way.
        pixels: Any = photo_rgb.copy() if photo_rgb.flags.writeable else np.ascontiguousarray(photo_rgb)
        height, width, _ = photo_rgb.shape
        self._outgoing.put(SetPhoto(photo=self._photo, width=width, height=height, pixels=memoryview(pixels).cast("B")))

    def _refuse(self, error: AppError) -> None:
        """Body of the only thread of a client whose process could not be started."""
        self._report_end(error)
        self._write(None)

    def _write(self, wire: Wire[Event] | None) -> None:
        """Body of the writing thread: requests to the process; after its end, refusals to the user."""
        while (message := self._outgoing.get()) is not None:
            if isinstance(message, Failed):
                self._deliver(message)
            elif wire is not None and not self._ended.is_set():
                with contextlib.suppress(OSError):  # the reading thread sees the end too, and reports it
                    wire.send(message)

    # --- events ------------------------------------------------------------------------------------------------------

    def _read(self, process: EngineProcess) -> None:
        """Body of the reading thread: events to the user, and the report of the end."""
        broken: AppError | None = None
        try:
            while (event := process.wire.receive()) is not None:
                self._note(event)
                self._deliver(event)
        except BrokenFrame as error:
            broken = error
            process.kill()
        how, last_words = process.reap()
        self._report_end(broken or EngineDied(target=self._shown, how=how, last_words=last_words))

    def _note(self, event: Event) -> None:
        """Keep up with what the process is doing."""
        with self._lock:
            if isinstance(event, Loaded):
                self._loaded = True
            elif isinstance(event, RunStarted):
                one = self._pending.get(event.request)
                if one is not None:
                    one.started = True
                    if one.stop_grace_s is not None:
                        self._watch(one)
            elif isinstance(event, Failed) and event.request is None:
                self._failure = from_wire(event.error, event.fields)
            elif isinstance(event, Classified | RunFinished | Failed) and event.request is not None:
                self._forget(event.request)

    def _forget(self, request: int) -> None:
        one = self._pending.pop(request, None)
        if one is not None and one.timer is not None:
            one.timer.cancel()

    def _report_end(self, error: AppError) -> None:
        """The process is gone: answer what is pending, and say so unless it was wished for or said already."""
        with self._lock:
            said = self._failure is not None
            if self._closing:
                error, said = EngineClosed(target=self._shown), True
            elif self._silent_s is not None:
                error = EngineSilent(target=self._shown, seconds=self._silent_s)
            self._failure = self._failure or error
            self._ended.set()
        self._fail_pending(self._failure)
        if not said:
            self._deliver(_failed(None, error))

    def _fail_pending(self, error: AppError) -> None:
        with self._lock:
            requests = list(self._pending)
            for request in requests:
                self._forget(request)
        for request in requests:
            self._deliver(_failed(request, error))

    def _deliver(self, event: Event | Message) -> None:
        if isinstance(event, Failed) and "target" in event.fields:  # named there, but in English
            event = msgspec.structs.replace(event, fields={**event.fields, "target": self._shown})
        with self._delivering:
            try:
                self._on_event(event)  # type: ignore[arg-type]
            except Exception:
                log.exception("on_event of %s", self.lane.key)

    # --- threads and the process ------------------------------------------------------------------------------------

    def _thread(self, name: str, body: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=body, args=arguments, name=f"{name} {self.lane.key}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self, one: _Pending) -> None:
        """Kill the process if the run is still without an answer when its time to stop is over."""
        one.timer = threading.Timer(one.stop_grace_s or 0.0, self._give_up, (one,))
        one.timer.daemon = True
        one.timer.start()

    def _give_up(self, one: _Pending) -> None:
        with self._lock:
            if one.request not in self._pending:
                return
            self._silent_s = one.stop_grace_s
        self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()


def _check_photo(photo_rgb: np.ndarray) -> None:
    """Raises ValueError for what is no photo, or more than a frame can carry."""
    shape = photo_rgb.shape
    if photo_rgb.dtype != np.uint8 or photo_rgb.ndim != 3 or shape[2] != 3 or 0 in shape:
        raise ValueError(f"a photo is uint8 H×W×3, not {photo_rgb.dtype} {shape}")
    if photo_rgb.nbytes > MAX_PHOTO_BYTES:
        raise ValueError(f"a photo of {photo_rgb.nbytes} bytes, more than {MAX_PHOTO_BYTES}")


def _failed(request: int | None, error: AppError) -> Failed:
    name, fields = to_wire(error)
    return Failed(request=request, error=name, fields=fields)
