"""What a profile finds, as plain values. Imports neither mlx nor coremltools, so that any room can show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupTime:
    """Operations of one group: how many, their time together, and the same for each kind in it."""

    group: str
    count: int
    ms: float
    kinds: tuple[tuple[str, int, float], ...]
    """Kind, count, milliseconds; slowest first."""


@dataclass(frozen=True)
class Profile:
    """Medians over `rounds` runs."""

    model: str
    device: str
    precision: str
    rounds: int
    groups: tuple[GroupTime, ...]
    """Slowest first."""
    stepwise_ms: float
    """All operations, each evaluated by itself."""
    whole_ms: float
    """The same function evaluated at once, as in use: faster, for nothing waits in between."""
