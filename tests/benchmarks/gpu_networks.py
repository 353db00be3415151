"""Rows: five networks on an NVIDIA GPU, batch 1 and 32, against PyTorch fp16 replayed from a CUDA graph, and mlx.nn."""

from __future__ import annotations

from statistics import median

import mlx.core as mx
from cpu_networks import FOLDER, NETWORKS, built
from pytorch import PYTHON
from rows import Row, measured, not_measured
from turns import ROOT, Worker, in_turns, ratio_row

GRAPH, HANDWRITTEN = 1.0, 0.9
PRECISIONS = {"stored": "fp16", "fp32": "fp32"}
BATCHES = (1, 32)
ROUNDS, SAMPLES, WARMUP = 12, 25, 25
LOOP = str(ROOT / "tests" / "benchmarks" / "gpu_loop.py")


def measure() -> list[Row]:
    """A row for each network, precision and batch."""
    problem = "no NVIDIA GPU" if not mx.cuda.is_available() else built()
    if problem:
        return [not_measured("gpu-networks", "MLX CUDA against PyTorch's CUDA graph, five networks", problem)]
    rows = [
        _against("graph", "PyTorch fp16 channels-last from a CUDA graph", name, precision, batch, GRAPH)
        for name in NETWORKS
        for precision in PRECISIONS
        for batch in BATCHES
    ]
    return rows + [
        _against("handwritten", "mlx.nn by hand, compiled", name, "fp32", 1, HANDWRITTEN)
        for name in ("lite0", "vit_s16")
    ]


def _against(other: str, who: str, name: str, precision: str, batch: int, bound: float) -> Row:
    row = f"gpu-{name}-{precision}-b{batch}-{other}"
    what = f"MLX CUDA, {NETWORKS[name]} {PRECISIONS[precision]} batch {batch}, against {who}"
    arguments = (name, precision, str(batch), str(FOLDER))
    try:
        ours = Worker(LOOP, "mlx", *arguments)
        theirs = Worker(LOOP, other, *arguments, **({"python": str(PYTHON)} if other == "graph" else {}))
    except RuntimeError as error:
        return not_measured(row, what, str(error))
    with ours, theirs:
        a, b = in_turns(ours.block, theirs.block, rounds=ROUNDS, samples=SAMPLES, warmup=WARMUP)
    ratio, detail = ratio_row(a, b)
    note = f"{median(a) / 1e6:.2f} ms against {median(b) / 1e6:.2f} ms"
    return measured(row, what, ratio.ratio, "×", bound, low=ratio.low, high=ratio.high, detail=detail, note=note)
