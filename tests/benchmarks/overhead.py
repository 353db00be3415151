"""Row: engine time inside the application against a bare loop over the same MLX function."""

from __future__ import annotations

from functools import partial

from lanes import LITE0, block_of, first_photo, lane
from rows import Row, measured
from turns import ROOT, Worker, in_turns, ratio_row

from app.engine.blocking import OpenLane
from app.paths import cache_folder

BOUND = 1.02
PROCESSES = 8
"""Pairs of processes: where the system places one in memory is worth a per cent or two by itself."""
ROUNDS = 16
SAMPLES = 9


def measure() -> list[Row]:
    """Blocks of both in turns, over several pairs of processes."""
    photo, one = first_photo(), lane(LITE0)
    environment = {"OPENBLAS_NUM_THREADS": "1"}  # threads that wait for each other hide what one of them loses
    bare_loop = str(ROOT / "tests" / "benchmarks" / "bare_loop.py")
    inside: list[float] = []
    bare: list[float] = []
    for _pair in range(PROCESSES):
        with (
            OpenLane(one, environment=environment) as engine,
            Worker(bare_loop, one.model, str(cache_folder("compiled")), environment=environment) as worker,
        ):
            a, b = in_turns(
                partial(block_of, engine, photo), worker.block, rounds=ROUNDS, samples=SAMPLES, warmup=SAMPLES
            )
            inside += a
            bare += b
    ratio, detail = ratio_row(inside, bare)
    what = "engine time in the application against a bare loop over the same function, MLX CPU fp32, one BLAS thread"
    return [measured("overhead", what, ratio.ratio, "×", BOUND, low=ratio.low, high=ratio.high, detail=detail)]
