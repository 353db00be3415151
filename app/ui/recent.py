"""The newest samples of one lane, as many as are needed for the numbers on its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.ui.lane_state import WINDOW_S

if TYPE_CHECKING:
    from app.bench.statistics import Summary

ENOUGH = 5
"""Fewer measured samples than this make no number."""


class RecentSamples:
    """A fixed ring of samples (dtype `ring.SAMPLE`), newest last."""

    def __init__(self, capacity: int = 1 << 15) -> None:
        self._ring: np.ndarray | None = None
        self._capacity = capacity
        self._count = 0

    def add(self, samples: np.ndarray) -> None:
        """Append; the oldest are overwritten when the ring is full."""
        if len(samples) == 0:
            return
        if self._ring is None:
            self._ring = np.empty(self._capacity, samples.dtype)
        kept = samples[-self._capacity :]
        places = (self._count + len(samples) - len(kept) + np.arange(len(kept))) % self._capacity
        self._ring[places] = kept
        self._count += len(samples)

    def clear(self) -> None:
        self._count = 0

    def newest_run(self, seconds: float = WINDOW_S) -> np.ndarray | None:
        """Measured samples of the newest run that ended within the last `seconds` of it; None when there are none."""
        if self._ring is None or self._count == 0:
            return None
        size = min(self._count, self._capacity)
        newest = self._ring[(self._count - 1) % self._capacity]
        # In the order of their arrival: the ring's own order is broken where it wraps.
        ordered = self._ring[(self._count - size + np.arange(size)) % self._capacity]
        wanted = (ordered["run"] == newest["run"]) & (ordered["warmup"] == 0)
        wanted &= ordered["end_ns"] >= newest["end_ns"] - int(seconds * 1e9)
        return ordered[wanted]

    def last_bytes(self, field: str) -> int | None:
        """The newest reading of a memory field in bytes; None when it was never read."""
        if self._ring is None or self._count == 0:
            return None
        size = min(self._count, self._capacity)
        values = self._ring[field][(self._count - 1 - np.arange(size)) % self._capacity]
        read = values[values >= 0]
        return int(read[0]) if len(read) else None


def live_numbers(samples: np.ndarray | None, batch: int) -> tuple[Summary, float] | None:
    """Summary of the engine times in ms and images a second end to end; None while there are too few samples."""
    from app.bench.statistics import summarise

    if samples is None or len(samples) < ENOUGH:
        return None
    span_s = (int(samples["end_ns"][-1]) - int(samples["end_ns"][0])) / 1e9
    if span_s <= 0:
        return None
    return summarise(samples["engine_ns"] / 1e6), (len(samples) - 1) * batch / span_s
