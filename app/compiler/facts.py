"""What is known of a model once it was read. Imports neither mlx nor coremltools."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Colour = Literal["RGB", "BGR", "GRAYSCALE", "GRAYSCALE_FLOAT16"]
Kind = Literal["mlProgram", "neuralNetwork", "pipeline"]
Interpolation = Literal["bilinear", "bicubic"]


@dataclass(frozen=True)
class ImageInput:
    """The image that a model takes, as the file declares it."""

    name: str
    width: int
    height: int
    colour: Colour


@dataclass(frozen=True)
class ModelFacts:
    """The fields of the engine's message of the same name, which says what each means."""

    name: str
    digest: str
    """SHA-256 over the package's files, hex."""
    kind: Kind
    specification: int
    image: ImageInput
    outputs: tuple[str, ...]
    probabilities: str | None
    """Name of the output that holds the class probabilities; None when the model is no classifier."""
    label: str | None
    """Name of the output that holds the winning label; None when the model is no classifier."""
    labels: tuple[str, ...]
    size_bytes: int
    crop_fraction: float
    """Part of the photo's short side that the model expects to see; 1.0 when the file says nothing."""
    interpolation: Interpolation
    metadata: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes an equal object."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> ModelFacts:
        """The facts that `to_json` wrote. Raises KeyError or TypeError when something is missing."""
        lists = {"outputs": tuple(plain["outputs"]), "labels": tuple(plain["labels"])}
        return cls(**{**plain, **lists, "image": ImageInput(**plain["image"])})
