"""One thread a lane: owns the lane's engine process and turns what it says into signals with one frozen value each."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

from app.engine.messages import (
    Classified,
    Event,
    Failed,
    Lane,
    Loaded,
    RunFinished,
    RunMode,
    RunStarted,
    Stage,
    Started,
)
from app.errors import AppError, InternalError, to_wire

if TYPE_CHECKING:
    import numpy as np

    from app.imaging.view import Crop

log = logging.getLogger(__name__)


class Samples(Protocol):
    """What the charts need of `engine.ring.SampleReader`."""

    def read(self) -> np.ndarray: ...


class Client(Protocol):
    """What a lane needs of `engine.client.EngineClient`."""

    samples: Any

    def start(self) -> None: ...

    def classify(self, photo_rgb: np.ndarray, crop: Crop, *, request: int, top: int = 5) -> None: ...

    def run(self, photo_rgb: np.ndarray, crop: Crop, mode: RunMode, *, request: int) -> None: ...

    def stop(self) -> None: ...

    def close(self, grace_s: float = 2.0) -> None: ...


OpenClient = Callable[[Lane, Callable[[Event], None]], Client]


def open_engine(lane: Lane, on_event: Callable[[Event], None]) -> Client:
    """The real client. Imported late: the window is painted before anything of an engine is needed."""
    from app.engine.client import EngineClient

    return EngineClient(lane, on_event)


class LaneWorker(QThread):
    """Carries out wishes in order, off the window's thread. All wishes return at once.

    Each signal carries this worker and one frozen value: the receiver drops what a replaced worker still says.
    """

    started_engine = Signal(object, object)
    stage_changed = Signal(object, object)
    loaded = Signal(object, object)
    classified = Signal(object, object)
    run_started = Signal(object, object)
    run_finished = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, lane: Lane, open_client: OpenClient = open_engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lane = lane
        self.setObjectName(lane.key)
        self._open_client = open_client
        self._client: Client | None = None
        self._wishes: queue.SimpleQueue[Callable[[Client], None] | None] = queue.SimpleQueue()
        self._closing = False

    def classify(self, photo_rgb: np.ndarray, crop: Crop, request: int, top: int) -> None:
        self._wishes.put(lambda client: client.classify(photo_rgb, crop, request=request, top=top))

    def run_live(self, photo_rgb: np.ndarray, crop: Crop, request: int) -> None:
        self._wishes.put(lambda client: client.run(photo_rgb, crop, "live", request=request))

    def stop(self) -> None:
        self._wishes.put(lambda client: client.stop())

    def close(self) -> None:
        """Forget the wishes that are left and end the engine process; `finished` is emitted when it is gone."""
        self._closing = True
        self._wishes.put(None)

    def close_now(self) -> None:
        """For a worker that did not finish in time: kill the process from the caller's thread. Blocks briefly."""
        if self._client is not None:
            self._client.close(grace_s=0.0)

    def read_samples(self) -> np.ndarray | None:
        """What the engine measured since the last call; None before it started. Called by the charts' timer only."""
        client = self._client
        return None if client is None or self._closing else client.samples.read()

    def run(self) -> None:
        try:
            self._client = client = self._open_client(self.lane, self._on_event)
            client.start()
        except Exception as error:
            self._report(error)
        else:
            while (wish := self._wishes.get()) is not None and not self._closing:
                try:
                    wish(client)
                except Exception as error:
                    self._report(error)
        if self._client is not None:
            self._client.close()

    def _report(self, error: Exception) -> None:
        if not isinstance(error, AppError):
            log.error("lane %s", self.lane.key, exc_info=error)
            error = InternalError(cause=repr(error))
        name, fields = to_wire(error)
        self.failed.emit(self, Failed(request=None, error=name, fields=fields))

    def _on_event(self, event: Event) -> None:
        """Called on the client's reader thread; the signals are queued to the window's thread."""
        if self._closing:
            return
        self._signal_of(event).emit(self, event)

    def _signal_of(self, event: Event) -> Any:
        table: dict[type, Any] = {
            Started: self.started_engine,
            Stage: self.stage_changed,
            Loaded: self.loaded,
            Classified: self.classified,
            RunStarted: self.run_started,
            RunFinished: self.run_finished,
            Failed: self.failed,
        }
        return table[type(event)]
