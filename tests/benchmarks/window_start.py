"""Rows: from the start of the process to a painted window, and from there to the first answer, at the second start."""

from __future__ import annotations

import statistics

from rows import Row, measured
from window_run import Place, place, window

STARTS = 7
PAINTED_S = 1.0
ANSWERED_S = 1.5


def measure() -> list[Row]:
    """Median over several starts after a first one, which fills the cache and is told beside them."""
    with place() as where:
        first = _start(where)
        later = [_start(where) for _ in range(STARTS)]
    painted, answered = ([one[which] for one in later] for which in (0, 1))
    note = f"{where.screen}; first start {first[0]:.2f} s and {first[1]:.2f} s"
    return [
        measured(
            "start-painted",
            f"process start to painted window, median of {STARTS} starts",
            statistics.median(painted),
            "s",
            PAINTED_S,
            note=note,
            detail={"all_s": painted},
        ),
        measured(
            "start-answered",
            f"window up to first answer, lane cached, median of {STARTS} starts",
            statistics.median(answered),
            "s",
            ANSWERED_S,
            note=note,
            detail={"all_s": answered},
        ),
    ]


def _start(where: Place) -> tuple[float, float]:
    """Seconds from the start of the process to the picture, and from the picture to the answer."""
    with window(where, "start") as running:
        painted_ns = running.wait_for("painted")
        answered_ns = running.wait_for("answered")
    return (painted_ns - running.started_ns) / 1e9, (answered_ns - painted_ns) / 1e9
