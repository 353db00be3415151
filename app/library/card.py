"""A model as the lists show it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.engine.targets import Target
from app.errors import AppError, from_wire


@dataclass(frozen=True)
class Obstacle:
    """Why the targets of one runtime cannot run a model: an error as it goes over the wire."""

    runtime: str
    """mlx or coreml."""
    error: str
    fields: dict[str, Any]

    @property
    def reason(self) -> AppError:
        """The error, whose sentence is in the language of the moment."""
        return from_wire(self.error, self.fields)


@dataclass(frozen=True)
class ModelCard:
    """One line of the model picker.

    Of a linked model, a file that stays where it is, nothing is known before an engine has read it: `weights` and
    `kind` are empty, the size of its input unknown, and the crop what holds when a file says nothing.
    """

    id: str
    """Of a built-in model its short name, of one in the library its name, of a linked one its absolute path."""
    name: str
    path: Path
    weights: str
    size_bytes: int
    width: int | None
    height: int | None
    crop_fraction: float
    interpolation: str
    built_in: bool
    linked: bool = False
    """The file lies where its owner put it, outside of the library."""
    kind: str = ""
    """mlProgram, neuralNetwork or pipeline."""
    colour: str = ""
    """Of its image input: RGB, BGR, GRAYSCALE, GRAYSCALE_FLOAT16."""
    obstacles: tuple[Obstacle, ...] = ()
    """Why some targets cannot run it; none for those that can."""
    missing: bool = False
    """The file is not there, or not readable, at the moment: on a drive that is not connected, moved, half copied."""

    def obstacle(self, target: Target) -> AppError | None:
        """Why this target cannot run the model; None when it can, or nobody has looked."""
        return next((one.reason for one in self.obstacles if one.runtime == target.runtime), None)
