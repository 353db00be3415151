"""The sample photos of resources/samples, with the labels that count as right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "samples"


@dataclass(frozen=True)
class Sample:
    """One photo. `expected` are ImageNet labels, any of which is a right answer."""

    path: Path
    title: str
    expected: tuple[str, ...]


def read_samples() -> list[Sample]:
    """All photos, in the order in which the window shows them."""
    rows = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))["samples"]
    return [Sample(FOLDER / row["file"], row["title"], tuple(row["expected"])) for row in rows]
