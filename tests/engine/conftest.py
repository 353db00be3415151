"""Engine processes of the fake kind, and a recorder of what they say."""

import queue
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.engine.client import EngineClient
from app.engine.messages import Lane, Loaded

sys.path.insert(0, str(Path(__file__).parent))  # for coreml_standin

FAKE_HOST = [sys.executable, "-P", str(Path(__file__).with_name("fake_host.py"))]

PATIENCE_S = 20.0
"""How long a test waits for something that should come at once; only a failure ever waits so long."""


class Recorder:
    """Takes a client's events and hands them out in order."""

    def __init__(self):
        self.events = queue.SimpleQueue()
        self.seen = []

    def __call__(self, event):
        self.events.put(event)

    def next(self, kind):
        """The next event of that kind; those before it are only kept in `seen`."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            self.seen.append(event)
            if isinstance(event, kind):
                return event

    def rest(self):
        """What has come and was not asked for yet."""
        return [self.events.get() for _ in range(self.events.qsize())]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def fake_command():
    return FAKE_HOST


@pytest.fixture
def lane():
    """Makes the lane of a fake model with the given behaviour."""
    return lambda behaviour="well", batch=1: Lane(
        model=f"/models/{behaviour}", target="mlx-cpu", precision="fp32", batch=batch
    )


@pytest.fixture
def start(lane):
    """Starts a client of a fake engine; all are closed at the end. `wait=False` does not wait for Loaded."""
    clients = []

    def start_one(behaviour="well", *, wait=True, batch=1, **options):
        recorder = Recorder()
        client = EngineClient(lane(behaviour, batch), recorder, command=FAKE_HOST, **options)
        clients.append(client)
        client.start()
        if wait:
            recorder.next(Loaded)
        return client, recorder

    yield start_one
    for client in clients:
        client.close()


@pytest.fixture
def grey():
    """Makes a read-only photo of one brightness."""

    def make(level, height=20, width=30):
        photo = np.full((height, width, 3), level, np.uint8)
        photo.flags.writeable = False
        return photo

    return make
