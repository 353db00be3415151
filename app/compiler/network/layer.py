"""One layer of a network, and the table of those that can be rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.compiler.network.blobs import Blob


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of NeuralNetwork.proto with the blobs that it reads."""

    name: str
    kind: str
    """Name of the field of `NeuralNetworkLayer.layer` that is set."""
    parameters: Any
    """That field's message."""
    inputs: tuple[Blob, ...]
    outputs: int
    """How many blobs the file says that it gives."""

    @property
    def x(self) -> Blob:
        """The first input. Raises ValueError where there is none."""
        return self.input(0)

    def input(self, index: int) -> Blob:
        """Raises ValueError where there are fewer inputs."""
        if index >= len(self.inputs):
            raise ValueError(f"{len(self.inputs)} inputs, needs {index + 1}")
        return self.inputs[index]


Rebuilt = Blob | Sequence[Blob]
Rebuild = Callable[[Layer], Rebuilt]

TABLE: dict[str, Rebuild] = {}


def rebuilds(*kinds: str) -> Callable[[Rebuild], Rebuild]:
    """Register the decorated function for these layer kinds. Raises ValueError when one has a function already."""

    def register(function: Rebuild) -> Rebuild:
        for kind in kinds:
            if kind in TABLE:
                raise ValueError(f"{kind} is rebuilt twice: {TABLE[kind]} and {function}")
            TABLE[kind] = function
        return function

    return register
