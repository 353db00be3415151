"""How long a race takes and how it is cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """One block is `samples` measured samples and at least `seconds` long; each lane gets one block a round."""

    mode: str
    rounds: int
    warmup: int
    """Samples before the first round, marked and left out."""
    block_warmup: int
    """The same at the start of each block: the other lanes have used the caches meanwhile."""
    samples: int
    seconds: float | None = None

    @property
    def samples_a_lane(self) -> int:
        """Fewest measured samples of a lane that was not disturbed."""
        return self.rounds * self.samples


QUICK = Pace(mode="quick", rounds=10, warmup=10, block_warmup=2, samples=10)
"""10 warm-up and 100 measured samples."""

FULL = Pace(mode="full", rounds=32, warmup=20, block_warmup=2, samples=33, seconds=1.9)
"""At least 1024 measured samples and 60 s a lane."""

PACES = {pace.mode: pace for pace in (QUICK, FULL)}
