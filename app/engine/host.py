"""The engine process: `python -m app.engine.host --fd N --ring-fd M`.

The main thread owns the session and answers one request after the other. A second thread receives; it sleeps in `recv`
during a run. Stop ends the run in progress, and the runs that wait, after the inference in flight. When the client is
gone the process ends at once, whatever it is doing.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import queue
import socket
import sys
import threading
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

import numpy as np

from app.engine.loop import Line, Pass, run_loop
from app.engine.messages import (
    Classified,
    Classify,
    Close,
    Failed,
    Lane,
    Load,
    Loaded,
    Request,
    Run,
    RunFinished,
    RunStarted,
    SetPhoto,
    Stage,
    Started,
    Stop,
    Tensor,
)
from app.engine.ring import SampleWriter
from app.engine.session import OpenSession, Session, open_session
from app.engine.targets import target
from app.engine.wire import Wire, host_wire
from app.errors import AppError, BrokenFrame, EngineOutOfMemory, InternalError, NoNumbers, to_wire
from app.imaging.crop import Crop
from app.machine.activity import begin_activity, prefer_fast_cores

log = logging.getLogger(__name__)


class Host:
    """One engine process's work, from the first request to the last."""

    def __init__(self, wire: Wire[Request], samples: SampleWriter, open_session: OpenSession) -> None:
        self._wire = wire
        self._samples = samples
        self._open_session = open_session
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._stops: dict[int, threading.Event] = {}
        self._photo = 0
        self._photo_hwc = np.zeros((1, 1, 3), np.uint8)

    def serve(self) -> None:
        """Answer requests until Close; returns early when the model cannot be loaded."""
        threading.Thread(target=self._receive, name="receive", daemon=True).start()
        self._wire.send(Started(pid=os.getpid(), versions=_versions()))
        load = self._requests.get()
        if not isinstance(load, Load):
            if not isinstance(load, Close):
                raise BrokenFrame(cause=f"{type(load).__name__} before Load")
            return
        session = self._open_session(load)
        try:
            line, loaded = self._load(session, load.lane)
        except Exception as error:
            self._fail(None, error, load.lane)
            return
        self._wire.send(loaded)
        while not isinstance(request := self._requests.get(), Close):
            self._answer(request, line, session, load.lane)
        session.close()

    def _load(self, session: Session, lane: Lane) -> tuple[Line, Loaded]:
        start = time.perf_counter_ns()
        facts = session.load(lambda name: self._wire.send(Stage(name=name)))
        load_ns = time.perf_counter_ns() - start
        self._wire.send(Stage(name="first-inference"))
        line = Line(session, facts.model, lane.batch)
        first = line.first()
        loaded = Loaded(
            facts=facts.model,
            load_ms=load_ns / 1e6,
            from_cache=facts.from_cache,
            cache_note=facts.cache_note,
            first_inference_ms=first.total_ns / 1e6,
            device=facts.device,
            device_is_certain=facts.device_is_certain,
            memory=session.memory(),
        )
        return line, loaded

    def _answer(self, request: Request, line: Line, session: Session, lane: Lane) -> None:
        if isinstance(request, SetPhoto):
            self._photo = request.photo
            self._photo_hwc = np.frombuffer(request.pixels, np.uint8).reshape(request.height, request.width, 3)
            return
        if not isinstance(request, Classify | Run):
            raise BrokenFrame(cause=f"{type(request).__name__} after Load")
        try:
            if request.photo != self._photo:
                raise BrokenFrame(cause=f"photo {request.photo} instead of {self._photo}")
            if isinstance(request, Classify):
                self._classify(request, line, session, lane)
            else:
                self._run(request, line, session)
        except Exception as error:
            self._fail(request.request, error, lane)

    def _classify(self, request: Classify, line: Line, session: Session, lane: Lane) -> None:
        done = line.run(self._photo_hwc, Crop(request.crop), request.top)
        if done.probabilities is not None and not np.isfinite(done.probabilities).all():
            raise NoNumbers(target=target(lane.target).shown_name, model=Path(lane.model).name)
        self._wire.send(
            Classified(
                request=request.request,
                photo=request.photo,
                top=done.top,
                probabilities=b"" if done.probabilities is None else done.probabilities.tobytes(),
                prepare_ms=done.prepare_ns / 1e6,
                engine_ms=done.engine_ns / 1e6,
                total_ms=done.total_ns / 1e6,
                memory=session.memory(),
                outputs=_tensors(done) if request.outputs else None,
            )
        )

    def _run(self, request: Run, line: Line, session: Session) -> None:
        self._wire.send(RunStarted(request=request.request))
        activity = begin_activity("measuring an engine")
        try:
            photo_hwc, crop = self._photo_hwc, Crop(request.crop)
            stop = self._stops[request.request]
            measured, stopped = run_loop(
                lambda: line.run(photo_hwc, crop), request, self._samples, stop, session.memory
            )
        finally:
            if activity is not None:
                activity.end()
            del self._stops[request.request]
        self._wire.send(RunFinished(request=request.request, measured=measured, stopped=stopped))

    def _fail(self, request: int | None, error: Exception, lane: Lane) -> None:
        """Tell the client. `request` None: the whole lane failed."""
        if isinstance(error, MemoryError):
            error = EngineOutOfMemory(target=target(lane.target).shown_name, model=Path(lane.model).name)
        elif not isinstance(error, AppError):
            log.error("request %s", request, exc_info=error)
            error = InternalError(cause=repr(error))
        name, fields = to_wire(error)
        self._wire.send(Failed(request=request, error=name, fields=fields))

    def _receive(self) -> NoReturn:
        """Body of the receiving thread. Ends the process when the client is gone."""
        try:
            while (request := self._wire.receive()) is not None:
                if isinstance(request, Stop | Close):
                    for stop in list(self._stops.values()):
                        stop.set()
                if isinstance(request, Run):
                    self._stops[request.request] = threading.Event()
                if not isinstance(request, Stop):
                    self._requests.put(request)
        except BrokenFrame as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)


def _tensors(done: Pass) -> dict[str, Tensor]:
    return {
        name: Tensor(dtype=array.dtype.str, shape=array.shape, data=array.tobytes())
        for name, array in done.outputs.items()
    }


def _versions() -> dict[str, str]:
    """Installed versions of what an answer depends on; what is not installed is left out."""
    found = {"python": sys.version.split()[0]}
    for name in ("mlx", "coremltools", "numpy", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run_host(open_session: OpenSession, arguments: list[str] | None = None) -> NoReturn:
    """Serve on the descriptors that the command line names, then end the process."""
    parser = argparse.ArgumentParser(prog="python -m app.engine.host")
    parser.add_argument("--fd", type=int, required=True, help="socket to the client")
    parser.add_argument("--ring-fd", type=int, required=True, help="shared memory for samples")
    given = parser.parse_args(arguments)
    faulthandler.enable()  # a crash in native code leaves its last words on stderr
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    if prefer_fast_cores() is False:
        log.warning("the system keeps this process at its default priority")
    samples = SampleWriter(given.ring_fd)
    os.close(given.ring_fd)
    status = 0
    try:
        Host(host_wire(socket.socket(fileno=given.fd)), samples, open_session).serve()
    except OSError:
        pass  # the client is gone
    except Exception:
        log.exception("engine process")
        status = 1
    sys.stderr.flush()
    # Not a return: runtimes have crashed while the interpreter took them down, and nothing is left to save.
    os._exit(status)


if __name__ == "__main__":
    run_host(open_session)
