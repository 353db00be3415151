"""What a verification finds, as plain values. Imports neither mlx nor coremltools, so that any room can show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """How far one array of the optimised function is from that of the plain program."""

    name: str
    cosine: float
    """1.0 when both are zero throughout; nan when they are not finite in the same places."""
    largest: float
    """Absolute."""
    relative: float
    """`largest` as a part of the largest magnitude of the plain array."""
    same: float
    """Share of the elements that are equal, 0 to 1; what counts for whole numbers."""
    agrees: bool
    """Within what rounding in the precision explains."""


@dataclass(frozen=True)
class Verification:
    """What the comparison gave."""

    precision: str
    """The float type of the optimised function: "fp32", "fp16" or "bf16"."""
    device: str
    """cpu or gpu."""
    outputs: tuple[Difference, ...]
    first_operation: str | None
    """MIL's word for the first operation after which the two diverge; None when they agree."""
    first_difference: Difference | None
    """Of a result of that operation."""

    @property
    def agrees(self) -> bool:
        """Whether all outputs do."""
        return all(output.agrees for output in self.outputs)
