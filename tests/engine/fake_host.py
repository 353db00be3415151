"""An engine process with a session that needs no runtime; the file name of the lane's model says how it behaves.

Run as a program, which `fakes.py` asks an EngineClient to do. Nothing here sleeps to let something happen; what hangs,
hangs until it is killed.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from app.engine.host import run_host
from app.engine.messages import ImageInput, MemoryReading, ModelFacts
from app.engine.session import LoadFacts
from app.errors import ModelUnreadable
from app.paths import cache_folder

SIZE = 8
LABELS = tuple(f"label {n}" for n in range(10))


class FakeSession:
    """Answers with the photo's mean brightness as the class; behaves badly on request."""

    def __init__(self, load):
        self.behaviour = Path(load.lane.model).name
        self.predictions = 0

    def load(self, report_stage):
        report_stage("reading")
        match self.behaviour:
            case "hangs-while-loading":
                threading.Event().wait()
            case "exits-while-loading":
                print("last words of a fake", file=sys.stderr, flush=True)
                os._exit(7)
            case "unreadable":
                raise ModelUnreadable(model="unreadable", cause="no zip")
            case "defect-while-loading":
                raise KeyError("weights")
            case "talks-a-lot":
                os.write(1, b"stdout " * 100_000)
                os.write(2, b"stderr " * 100_000)
            case "broken-frames":
                for fd in range(3, 64):
                    try:
                        os.write(fd, b"\xff\xff\xff\xff garbage")
                    except OSError:
                        continue
        return LoadFacts(
            model=ModelFacts(
                name=self.behaviour,
                digest="0" * 64,
                kind="mlProgram",
                specification=7,
                image=ImageInput(name="image", width=SIZE, height=SIZE, colour="RGB"),
                outputs=("probabilities", "features"),
                probabilities=None if self.behaviour == "no-classifier" else "probabilities",
                labels=LABELS[:3] if self.behaviour == "too-few-labels" else LABELS,
                size_bytes=1,
                crop_fraction=1.0,
                interpolation="bilinear",
                metadata={},
            ),
            from_cache=False,
            cache_note=None,
            device="fake",
            device_is_certain=True,
        )

    def predict(self, batch_nhwc):
        start = time.perf_counter_ns()
        self.predictions += 1
        if self.predictions > 1:  # the first one is the host's own
            self.misbehave()
        probabilities = np.full((len(batch_nhwc), len(LABELS)), 0.01, np.float16)
        probabilities[:, int(batch_nhwc[0].mean() // 25.6)] = 0.91
        if self.behaviour == "no-numbers":
            probabilities[:] = np.nan
        features = batch_nhwc.astype(np.float32).mean(axis=(1, 2))
        return {"probabilities": probabilities, "features": features}, time.perf_counter_ns() - start

    def misbehave(self):
        match self.behaviour:
            case "hangs":
                cache_folder().mkdir(parents=True, exist_ok=True)
                cache_folder("hanging").touch()  # so that a test knows when to begin
                threading.Event().wait()
            case "kills-itself":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exits":
                sys.stderr.write("I have had enough\n")
                sys.stderr.flush()
                os._exit(3)
            case "segfaults":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "out-of-memory-once" if self.predictions == 2:
                raise MemoryError
            case "defect-once" if self.predictions == 2:
                raise ZeroDivisionError("a defect")

    def memory(self):
        return MemoryReading(footprint_bytes=1000, mlx_active_bytes=200, mlx_cache_bytes=None, mlx_peak_bytes=300)

    def close(self):
        if self.behaviour == "hangs-while-closing":
            threading.Event().wait()


if __name__ == "__main__":
    run_host(FakeSession)
