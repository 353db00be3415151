"""Stand-ins for what looks into models and brings them into the library: scripted answers, no process."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.compiler.facts import Feature, ModelFacts
from app.compiler.inspection.report import Inspection, Obstacle, OperationCount, StoredWeights
from app.compiler.profile_report import GroupTime, Profile
from app.engine.targets import Precision
from app.errors import AppError, Cancelled, ModelUnreadable, UnsupportedOps, to_wire
from app.library import card, shelf
from app.library.importing import Imported

PATIENCE_S = 20.0
"""Only a failing test waits so long."""


def inspection(name: str = "cats.mlmodel", **changes: Any) -> Inspection:
    """Of a small cat classifier with weights in two forms."""
    image = Feature("image", "image", (1, 224, 224, 3), "uint8", "RGB")
    facts = ModelFacts(
        name=name,
        digest="00",
        kind="mlProgram",
        specification=7,
        inputs=(image,),
        output_features=(Feature("classLabel", "string"), Feature("probabilities", "dictionary", (), "str")),
        functions=changes.pop("functions", ("main",)),
        left_out=(),
        probabilities="probabilities",
        label="classLabel",
        labels=("tabby, tabby cat", "tiger cat", "lynx, catamount"),
        size_bytes=2_500_000,
        crop_fraction=0.875,
        interpolation="bicubic",
        metadata={"author": "A. Author", "licence": "MIT", "description": "Tells cats apart.", "made with": "care"},
    )
    given: dict[str, Any] = {
        "facts": facts,
        "function": "main",
        "operations": (OperationCount("conv", 26, True), OperationCount("relu", 25, True)),
        "unsupported": (),
        "weights": (
            StoredWeights("float16", 20, 1_000_000, 2_000_000),
            StoredWeights("palettized 4 bit", 6, 235_000, 117_500),
        ),
        "parameters": 1_235_000,
        "multiply_adds": 387_747_520,
        "obstacle": None,
    }
    return Inspection(**{**given, **changes})


def unsupported(*ops: str) -> Obstacle:
    error = UnsupportedOps(model="cats", ops=ops)
    name, fields = to_wire(error)
    return Obstacle(name, fields, str(error))


PROFILE = Profile(
    model="cats",
    device="CPU",
    precision="fp32",
    rounds=20,
    groups=(
        GroupTime("convolution", 26, 15.0, (("conv2d", 26, 15.0),)),
        GroupTime("pooling", 4, 5.0, (("max pool", 3, 4.0), ("mean", 1, 1.0))),
    ),
    stepwise_ms=20.0,
    whole_ms=14.0,
)


class FakeInquiry:
    """Answers at once, or while `held` is set only when `go_on` is; a cancelled question ends as a real one does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Path, str | None]] = []
        self.errors: dict[Path, AppError] = {}
        self.found: dict[Path, Inspection] = {}
        self.wishes: list[tuple[str, Precision]] = []
        self.held = False
        self.go_on = threading.Event()
        self.cancelled: list[str] = []

    def inspect(self, path: Path, function: str | None = None, *, cancel: threading.Event) -> Inspection:
        self.asked.append(("inspect", path, function))
        self._hold("inspect", cancel)
        if path in self.errors:
            raise self.errors[path]
        found = self.found.get(path) or inspection(path.name)
        return Inspection(**{**vars(found), "function": function or found.function})

    def profile(
        self,
        path: Path,
        target_id: str,
        precision: Precision,
        *,
        function: str | None,
        rounds: int,
        on_round: Callable[[int, int], None],
        cancel: threading.Event,
    ) -> Profile:
        self.asked.append(("profile", path, function))
        self.wishes.append((target_id, precision))
        on_round(rounds // 2, rounds)
        self._hold("profile", cancel)
        return PROFILE

    def _hold(self, kind: str, cancel: threading.Event) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.held and not self.go_on.wait(0.005):
            if cancel.is_set():
                self.cancelled.append(kind)
                raise Cancelled()
            assert time.monotonic() < until


class FakeTakeIn:
    """Puts a copy on the real shelf, as `import_model` does, without looking into it.

    A file that holds b"broken" is refused; `obstacles` go onto the page of what comes in.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.obstacles: tuple[card.Obstacle, ...] = ()
        self.held = False
        self.go_on = threading.Event()

    def __call__(self, path: Path, *, on_progress: Callable[[int, int], None], cancel: threading.Event) -> Imported:
        self.asked.append(path.name)
        if not path.exists():
            raise ModelUnreadable(model=path.name, cause="it is not there")
        data = path.read_bytes()
        on_progress(len(data) // 2, len(data))
        until = time.monotonic() + PATIENCE_S
        while self.held and not self.go_on.wait(0.005):
            if cancel.is_set():
                raise Cancelled()
            assert time.monotonic() < until
        if data == b"broken":
            raise ModelUnreadable(model=path.name, cause="it is broken")
        digest = hashlib.sha256(data).hexdigest()
        there = next((one for one in shelf.cards() if one.path.parent == shelf.folder_of(digest)), None)
        if there is not None:
            return Imported(there, True)
        return Imported(self._put(path, data, digest), False)

    def _put(self, path: Path, data: bytes, digest: str) -> card.ModelCard:
        arriving = shelf.arriving_folder()
        (arriving / path.name).write_bytes(data)
        page = shelf.Page(
            name=shelf.free_name(path.stem),
            file=path.name,
            added=time.time(),
            source=str(path),
            digest=digest,
            kind="neuralNetwork",
            colour="RGB",
            width=227,
            height=227,
            size_bytes=2_500_000,
            weights="float16",
            crop_fraction=1.0,
            interpolation="bilinear",
            obstacles=self.obstacles,
        )
        return shelf.put(arriving, page)
