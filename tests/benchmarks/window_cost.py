"""Rows: what the live charts cost the engine, and how long the event loop makes one wait.

"Without a window" is the same engine process in the same run while the window's process is stopped (SIGSTOP): the
engine loops by itself and writes into shared memory, so nothing but the drawing goes away. Blocks with and without
alternate.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Mapping

import numpy as np
from lanes import LITE0, LITE2
from rows import Row, measured
from turns import ratio_row
from window_run import Place, Window, out_file, place, window

from app.bench.statistics import summarise

COST = 1.05
GAP_MEDIAN_MS = 17.0
GAP_P99_MS = 50.0
ROUNDS = 40
BLOCK_S = 1.0
"""Short, so that other programs disturb both halves of a pair; long enough for a few dozen inferences."""
SETTLING_S = 0.2
"""Left out at the start of each block: the window draws what has gathered, caches change hands."""
GAPS_S = 30.0


def measure() -> list[Row]:
    """Cost with one BLAS thread (bound) and with all cores (reported), then the gaps of the event loop."""
    with place() as where:
        rows = [_cost(where, threads=1, bound=COST)]
        cores = os.cpu_count() or 1
        if cores > 1:
            rows.append(_cost(where, threads=cores, bound=None))
        return [*rows, *_gaps(where)]


def _cost(where: Place, threads: int, bound: float | None) -> Row:
    samples, spans = _live(where, [LITE0], threads, _alternate)
    end_ns, engine_ns = samples["end_ns_0"], samples["engine_ns_0"]
    drawn, still = (_medians(end_ns, engine_ns, spans[name]) for name in ("drawn", "still"))
    ratio, detail = ratio_row(drawn, still)
    what = f"engine time with the window charting live against without a window, BLAS threads: {threads}"
    return measured(
        f"window-cost-{threads}",
        what,
        ratio.ratio,
        "×",
        bound,
        low=ratio.low,
        high=ratio.high,
        note=where.screen,
        detail=detail,
    )


def _gaps(where: Place) -> list[Row]:
    """Two lanes run at once, one BLAS thread each."""
    samples, _spans = _live(where, [LITE0, LITE2], 1, _leave_alone)
    gaps = samples["gaps_ns"] / 1e6
    found = summarise(gaps)
    p99 = float(np.percentile(gaps, 99))
    what = "gap between two turns of the window's event loop, asked for every 16 ms, two lanes running"
    detail = {"n": found.n, "p95_ms": found.p95, "max_ms": found.max, "images": len(samples["end_ns_0"])}
    return [
        measured("gap-median", f"{what}: median", found.median, "ms", GAP_MEDIAN_MS, note=where.screen, detail=detail),
        measured("gap-p99", f"{what}: p99", p99, "ms", GAP_P99_MS, note=where.screen, detail=detail),
    ]


Spans = dict[str, list[tuple[int, int]]]


def _live(
    where: Place, models: list[str], threads: int, steer: Callable[[Window], Spans]
) -> tuple[Mapping[str, np.ndarray], Spans]:
    """What the window wrote about a live run, and what `steer(window)` says of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = out_file(folder)
        with window(where, "live", str(out), *models, environment={"OPENBLAS_NUM_THREADS": str(threads)}) as running:
            running.wait_for("live")
            time.sleep(BLOCK_S)
            spans = steer(running)
        with np.load(out) as written:
            return dict(written), spans


def _alternate(running: Window) -> Spans:
    """Let the window draw and stop it, by turns; the spans of both in `time.monotonic_ns`."""
    spans: Spans = {"drawn": [], "still": []}
    for _round in range(ROUNDS):
        for name, number in (("drawn", signal.SIGCONT), ("still", signal.SIGSTOP)):
            running.process.send_signal(number)
            time.sleep(SETTLING_S)
            start = time.monotonic_ns()
            time.sleep(BLOCK_S)
            spans[name].append((start, time.monotonic_ns()))
    running.process.send_signal(signal.SIGCONT)
    time.sleep(BLOCK_S)  # for the window to read what has gathered
    return spans


def _leave_alone(_running: Window) -> Spans:
    time.sleep(GAPS_S)
    return {}


def _medians(end_ns: np.ndarray, engine_ns: np.ndarray, spans: list[tuple[int, int]]) -> list[float]:
    """Median engine time of the samples in each span; every span has some."""
    return [float(np.median(engine_ns[(end_ns > start) & (end_ns <= end)])) for start, end in spans]
