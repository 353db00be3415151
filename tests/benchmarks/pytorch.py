"""Rows: MLX on the CPU against PyTorch eager with the same number of threads."""

from __future__ import annotations

import os
from functools import partial

from lanes import LITE0, block_of, first_photo, lane
from rows import Row, measured, not_measured
from turns import ROOT, Worker, in_turns, ratio_row

from app.engine.blocking import OpenLane

BOUND = 3.0
ROUNDS = 16
SAMPLES = 15
PYTHON = ROOT / ".venv-models" / "bin" / "python"


def measure() -> list[Row]:
    """One row for one thread and one for all cores."""
    return [_against_pytorch(threads) for threads in sorted({1, os.cpu_count() or 1})]


def _against_pytorch(threads: int) -> Row:
    name = f"pytorch-{threads}"
    what = f"MLX CPU, EfficientNet-Lite0 fp32 batch 1, against PyTorch eager, threads: {threads}"
    if not PYTHON.exists():
        return not_measured(name, what, "run “make models” first: it sets up PyTorch")
    photo, environment = first_photo(), {"OPENBLAS_NUM_THREADS": str(threads)}
    torch_loop = str(ROOT / "tests" / "benchmarks" / "torch_loop.py")
    try:
        worker = Worker(torch_loop, str(threads), python=str(PYTHON))
    except RuntimeError as error:
        return not_measured(name, what, f"PyTorch does not start ({error}); run “make models” first")
    with worker, OpenLane(lane(LITE0), environment=environment) as engine:
        a, b = in_turns(partial(block_of, engine, photo), worker.block, rounds=ROUNDS, samples=SAMPLES, warmup=SAMPLES)
        facts = {**worker.facts, "mlx": engine.loaded.device}
    ratio, detail = ratio_row(a, b)
    return measured(name, what, ratio.ratio, "×", BOUND, low=ratio.low, high=ratio.high, detail={**detail, **facts})
