"""What goes over the wire between a client and its engine process, and the values that come out of it.

Every message is a frozen msgspec struct, tagged with its class name, sent as one MessagePack frame behind a 4-byte
big-endian length (`wire.py`). Times are floats in the unit that ends the name.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from app.engine.targets import Precision

RunMode = Literal["live", "quick", "full", "block"]


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all messages."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: model × target × precision × batch."""

    model: str
    """Absolute path of the .mlpackage or .mlmodel."""
    target: str
    precision: Precision
    batch: int = 1

    @property
    def key(self) -> str:
        """Unique within a window or a race: "mlx-cpu:fp32:b1 /path/model"."""
        return f"{self.target}:{self.precision}:b{self.batch} {self.model}"


class MemoryReading(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes; None where there is no such figure. `footprint` is the process's (phys_footprint on macOS, PSS on Linux),
    the others are MLX's own allocator."""

    footprint_bytes: int | None = None
    mlx_active_bytes: int | None = None
    mlx_cache_bytes: int | None = None
    mlx_peak_bytes: int | None = None


class ImageInput(msgspec.Struct, frozen=True, kw_only=True):
    """The image that a model takes, as the file declares it."""

    name: str
    width: int
    height: int
    colour: Literal["RGB", "BGR", "GRAYSCALE", "GRAYSCALE_FLOAT16"]


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model once it was read."""

    name: str
    digest: str
    """SHA-256 over the package's files, hex."""
    kind: Literal["mlProgram", "neuralNetwork", "pipeline"]
    specification: int
    image: ImageInput
    outputs: tuple[str, ...]
    probabilities: str | None
    """Name of the output that holds the class probabilities; None when the model is no classifier."""
    labels: tuple[str, ...]
    size_bytes: int
    crop_fraction: float
    """Part of the photo's short side that a centre crop leaves to see; 1.0 when the file says nothing."""
    interpolation: Literal["bilinear", "bicubic"]
    metadata: dict[str, str]


# --- requests: client -> engine process -----------------------------------------------------------------------------


class Load(Message, frozen=True, kw_only=True):
    """First request of a process's life. `cache_folder` may not exist or not be writable: then nothing is cached."""

    lane: Lane
    cache_folder: str


class SetPhoto(Message, frozen=True, kw_only=True):
    """The photo that the following Classify and Run mean. Pixels are upright sRGB, uint8, H×W×3, C order."""

    photo: int
    width: int
    height: int
    pixels: memoryview


class Classify(Message, frozen=True, kw_only=True):
    request: int
    photo: int
    crop: str
    top: int = 5
    outputs: bool = False
    """Send every output of the model too."""


class Run(Message, frozen=True, kw_only=True):
    """Loop and write samples to the ring until Stop, or until `samples` measured ones (None: no end) are done."""

    request: int
    photo: int
    crop: str
    mode: RunMode
    warmup: int
    samples: int | None
    seconds: float | None = None
    """At least this long, on top of `samples`."""


class Stop(Message, frozen=True, kw_only=True):
    """End the run in progress after the inference in flight."""


class Close(Message, frozen=True, kw_only=True):
    """End the process."""


# --- events: engine process -> client -------------------------------------------------------------------------------


class Started(Message, frozen=True, kw_only=True):
    pid: int
    versions: dict[str, str]


class Stage(Message, frozen=True, kw_only=True):
    """A long step begins. Names: reading, compiling, loading, first-inference."""

    name: str


class Loaded(Message, frozen=True, kw_only=True):
    facts: ModelFacts
    load_ms: float
    from_cache: bool
    cache_note: str | None
    """Why the cache was not used or not written, when that is worth knowing (disk full)."""
    first_inference_ms: float
    device: str
    """Where it runs, as the runtime tells it: "NVIDIA H200", "CPU, OpenBLAS 0.3.21 (2 threads)", "CPU_AND_NE"."""
    device_is_certain: bool
    """False when `device` is only what was asked for."""
    memory: MemoryReading


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    label: str
    probability: float


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """One output array."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Classified(Message, frozen=True, kw_only=True):
    request: int
    photo: int
    top: tuple[Answer, ...]
    """Empty when the model is no classifier."""
    probabilities: bytes
    """All class probabilities, float32, label order; empty when the model is no classifier."""
    prepare_ms: float
    engine_ms: float
    total_ms: float
    memory: MemoryReading
    outputs: dict[str, Tensor] | None = None


class RunStarted(Message, frozen=True, kw_only=True):
    request: int


class RunFinished(Message, frozen=True, kw_only=True):
    """`measured` samples without the warm-up; `stopped` when a Stop ended it before its own end."""

    request: int
    measured: int
    stopped: bool


class Failed(Message, frozen=True, kw_only=True):
    """`request` is None when the whole lane failed (loading, death of the process)."""

    request: int | None
    error: str
    fields: dict[str, Any]


Request = Load | SetPhoto | Classify | Run | Stop | Close
Event = Started | Stage | Loaded | Classified | RunStarted | RunFinished | Failed
