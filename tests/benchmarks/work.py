"""The other side of `turns.Worker`: answers on standard output for as long as standard input is open.

Standard library only: the PyTorch environment has nothing else of ours.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable


def serve(facts: dict[str, object], once: Callable[[], int]) -> None:
    """Say `facts`, then for each line with a number run `once` (gives a time in ns) that often and say the times."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    gc.collect()
    gc.freeze()
    gc.disable()  # as in the engine's own loop
    print(json.dumps(facts), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps({"ns": [once() for _ in range(int(line))]}), file=answers, flush=True)


def timed(work: Callable[[], object]) -> Callable[[], int]:
    """A function that does the work and gives the ns that it took."""

    def once() -> int:
        start = time.perf_counter_ns()
        work()
        return time.perf_counter_ns() - start

    return once
