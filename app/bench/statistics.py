"""What a row of latencies says: percentiles, spread, throughput, steady state, and the ratio of two rows.

Percentiles interpolate linearly between the two nearest samples (Hyndman and Fan 1996, type 7: NumPy's and R's
default).
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

SAMPLES_FOR_P99 = 1000
"""Below this the 99th percentile rests on fewer than ten samples and is not reported."""

WINDOWS = 3
WINDOW_SHARE = 5
SMALLEST_WINDOW = 10
SETTLED_WITHIN = 0.05
"""Steady state: each of the last three windows, of a fifth of the samples each, has its median within 5 % of the
others'."""

PAIRS_FOR_INTERVAL = 6
"""Fewer pairs cannot carry a 95 % interval of a median: even from the smallest to the largest of five values, an
interval holds the true median with a probability of only 1 - 2 / 2**5 = 94 %."""

RESAMPLES = 4000
SEED = 20_261_123
"""Fixed, so that the same samples give the same interval on every machine and at every look."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported of a row of latencies; times in milliseconds."""

    n: int
    median: float
    p90: float
    p95: float
    p99: float | None
    """None below `SAMPLES_FOR_P99` samples."""
    min: float
    max: float
    spread: float | None
    """(p95 - p5) / median, None when the median is 0: how wide the middle nine tenths of the samples are, as a share
    of the median. Percentiles, because latencies are skewed and a standard deviation would mostly tell of the few
    slowest (Hoefler and Belli, "Scientific Benchmarking of Parallel Computing Systems", SC'15, rules 6 to 8)."""


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long one lane takes as another. The interval covers 95 %; None where there are too few
    pairs."""

    ratio: float
    low: float | None
    high: float | None


def summarise(ms: ArrayLike) -> Summary:
    """The figures of at least one latency in milliseconds. Raises ValueError when there is none."""
    samples = np.asarray(ms, dtype=np.float64)
    if samples.size == 0:
        raise ValueError("no samples to summarise")
    p5, median, p90, p95, p99 = (float(value) for value in np.percentile(samples, (5, 50, 90, 95, 99)))
    return Summary(
        n=int(samples.size),
        median=median,
        p90=p90,
        p95=p95,
        p99=p99 if samples.size >= SAMPLES_FOR_P99 else None,
        min=float(samples.min()),
        max=float(samples.max()),
        spread=(p95 - p5) / median if median > 0 else None,
    )


def throughput_per_s(images: int, elapsed_s: float) -> float | None:
    """Images a second; None when no time passed."""
    return images / elapsed_s if elapsed_s > 0 else None


def is_settled(ms: ArrayLike) -> bool:
    """Whether the latencies, oldest first, had reached a steady state at their end.

    The medians of the last three windows must agree within 5 %. A row too short for three windows is not settled.
    """
    samples = np.asarray(ms, dtype=np.float64)
    window = max(SMALLEST_WINDOW, samples.size // WINDOW_SHARE)
    if samples.size < WINDOWS * window:
        return False
    medians = np.median(samples[samples.size - WINDOWS * window :].reshape(WINDOWS, window), axis=1)
    return bool(medians.max() <= medians.min() * (1 + SETTLED_WITHIN))


def ratio_interval(a: ArrayLike, b: ArrayLike) -> Ratio:
    """The median of the paired ratios a/b with its 95 % percentile-bootstrap interval.

    `a` and `b` are medians of blocks that were measured side by side, pair by pair. Pairs are drawn anew, so that what
    disturbed both halves of a pair stays together. Raises ValueError when the rows differ in length or are empty.
    """
    above, below = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if above.shape != below.shape or above.ndim != 1 or above.size == 0:
        raise ValueError(f"pairs are needed, not {above.shape} against {below.shape}")
    ratios = above / below
    if ratios.size < PAIRS_FOR_INTERVAL:
        return Ratio(ratio=float(np.median(ratios)), low=None, high=None)
    low, high = np.percentile(_resampled_medians(ratios), (2.5, 97.5))
    return Ratio(ratio=float(np.median(ratios)), low=float(low), high=float(high))


def _resampled_medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians of `RESAMPLES` rows drawn from `values` with replacement (Efron 1979)."""
    drawn = np.random.default_rng(SEED).integers(0, values.size, size=(RESAMPLES, values.size))
    return np.median(values[drawn], axis=1)
