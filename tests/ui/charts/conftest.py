"""Samples as an engine process writes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.engine.ring import NOT_READ, SAMPLE

MakeSamples = Callable[..., np.ndarray]


@pytest.fixture
def make_samples() -> MakeSamples:
    """Samples of the given engine times in ms, one directly after the other, the last one ending at `end_ns`.

    End to end takes 1 ms more. `warmup` counts the first ones; `memory` is (footprint, active, cache, peak) in bytes of
    the first sample of each hundred.
    """

    def make(
        engine_ms: np.ndarray | list[float],
        end_ns: int = 60_000_000_000,
        run: int = 1,
        warmup: int = 0,
        memory: tuple[int, int, int, int] | None = None,
    ) -> np.ndarray:
        engine_ns = (np.asarray(engine_ms, float) * 1e6).astype(np.int64)
        made = np.zeros(len(engine_ns), SAMPLE)
        made["run"] = run
        made["index"] = np.arange(len(made))
        made["warmup"][:warmup] = 1
        made["engine_ns"] = engine_ns
        made["total_ns"] = engine_ns + 1_000_000
        made["end_ns"] = end_ns - made["total_ns"].sum() + np.cumsum(made["total_ns"])
        for at, name in enumerate(("footprint", "mlx_active", "mlx_cache", "mlx_peak")):
            made[name] = NOT_READ
            if memory:
                made[name][::100] = memory[at]
        return made

    return make
