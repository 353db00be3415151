"""What an inspection finds, as plain values. Imports neither mlx nor coremltools, so that any room can show it."""

from __future__ import annotations

from dataclasses import dataclass

from app.compiler.facts import ModelFacts


@dataclass(frozen=True)
class OperationCount:
    """How often one kind of operation stands in the file: a MIL op type, or a NeuralNetwork layer's."""

    kind: str
    count: int
    supported: bool
    """Whether MLX has a lowering for it."""


@dataclass(frozen=True)
class StoredWeights:
    """All weights that the file stores in one form."""

    form: str
    """ "float16", "palettized 4 bit", "linear 8 bit", "sparse" and so on; joint forms are joined with " + "."""
    tensors: int
    parameters: int
    """Numbers after decompression."""
    stored_bytes: int


@dataclass(frozen=True)
class Obstacle:
    """Why MLX cannot run the model: an error as it goes over the wire."""

    error: str
    fields: dict[str, object]
    sentence: str
    """The error's words in the language of the process that found it."""


@dataclass(frozen=True)
class Inspection:
    """One model file, or one function of it."""

    facts: ModelFacts
    function: str | None
    """The function that was looked at; None for a kind of file that has no functions."""
    operations: tuple[OperationCount, ...]
    """Most frequent first; constants are not operations."""
    unsupported: tuple[str, ...]
    """Kinds (or attributes) that MLX cannot run."""
    weights: tuple[StoredWeights, ...]
    """Largest form first."""
    parameters: int
    """Numbers of all weights, compressed ones counted as what they stand for."""
    multiply_adds: int | None
    """For one image of the default size, counted over convolutions and matrix products; None when unknown."""
    obstacle: Obstacle | None
    """None when MLX runs the model."""

    @property
    def stored_bits(self) -> float | None:
        """Mean bits that a parameter takes on disk; None for a model without weights."""
        stored = sum(one.stored_bytes for one in self.weights)
        return 8 * stored / self.parameters if self.parameters else None
