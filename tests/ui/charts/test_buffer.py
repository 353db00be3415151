"""What is remembered of a lane: extremes, medians, gaps, warm-up and memory, within fixed bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.engine.ring import SAMPLE
from app.ui.charts.buffer import BIN_NS, KEPT_SAMPLES, Clock, LaneBuffer

MakeSamples = Callable[..., np.ndarray]

RNG = np.random.default_rng(5)


def test_a_bin_holds_the_lowest_the_median_and_the_highest(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    samples = make_samples([1.0, 2.0, 9.0, 3.0], end_ns=1000 * BIN_NS - 1)
    assert set(samples["end_ns"] // BIN_NS) == {999}
    lane.add(samples)
    (only,) = lane.bins.rows()
    assert only["engine"].tolist() == [1.0, 2.5, 9.0]
    assert only["total"].tolist() == [2.0, 3.5, 10.0]


def test_portions_make_the_same_bins_as_all_at_once(make_samples: MakeSamples) -> None:
    samples = make_samples(RNG.uniform(0.3, 9, 3000), warmup=40)
    whole, piecemeal = LaneBuffer(), LaneBuffer()
    whole.add(samples)
    start = 0
    while start < len(samples):
        count = int(RNG.integers(1, 60))
        piecemeal.add(samples[start : start + count])
        start += count
    assert np.array_equal(whole.bins.rows(), piecemeal.bins.rows())
    assert np.array_equal(whole.raw.rows(), piecemeal.raw.rows())


def test_no_spike_is_lost(make_samples: MakeSamples) -> None:
    ms = RNG.uniform(1, 2, 20_000)
    ms[777] = 500.0
    ms[9999] = 0.001
    lane = LaneBuffer()
    lane.add(make_samples(ms))
    assert lane.bins.rows()["engine"][:, 2].max() == pytest.approx(500.0)
    assert lane.bins.rows()["engine"][:, 0].min() == pytest.approx(0.001, rel=1e-3)


def test_nothing_is_connected_over_a_pause_another_run_or_a_gap_that_was_set(make_samples: MakeSamples) -> None:
    second = 1_000_000_000
    lane = LaneBuffer()
    lane.add(make_samples([5, 5], end_ns=10 * second))
    lane.add(make_samples([5, 5], end_ns=12 * second))  # two seconds later: nothing was measured in between
    lane.add(make_samples([5, 5], end_ns=12 * second + 12_000_000, run=2))
    lane.set_gap()
    lane.add(make_samples([5, 5], end_ns=12 * second + 24_000_000, run=2))
    lane.add(make_samples([5, 5], end_ns=12 * second + 36_000_000, run=2))
    assert lane.raw.rows()["gap"].tolist() == [True, False, True, False, True, False, True, False, False, False]


def test_one_long_inference_is_no_gap(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    lane.add(make_samples([5, 3000, 5]))
    assert lane.raw.rows()["gap"].tolist() == [True, False, False]


def test_warm_up_is_kept_but_does_not_count(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    lane.add(make_samples([90, 80, 3, 4], warmup=2))
    assert lane.raw.rows()["warmup"].tolist() == [True, True, False, False]
    assert lane.measured_ms(Clock.ENGINE).tolist() == [3, 4]
    assert lane.measured_ms(Clock.END_TO_END).tolist() == [4, 5]


def test_memory_that_was_not_read_is_not_zero(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    lane.add(make_samples([5] * 10))
    assert len(lane.memory) == 0
    lane.add(make_samples([5], end_ns=61_000_000_000, memory=(118_000_000, -1, -1, -1)))
    (reading,) = lane.memory.rows()
    assert reading["footprint"] == pytest.approx(118.0)
    assert np.isnan(reading["active"])
    assert lane.has_kind == {"footprint": True, "active": False, "cache": False, "peak": False}


def test_memory_is_kept_ten_times_a_second_at_most(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    samples = make_samples([4.0] * 1000)  # 5 ms each, end to end
    samples["footprint"] = 100_000_000
    lane.add(samples)
    assert 45 <= len(lane.memory) <= 51


def test_memory_shows_the_gap_too(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    lane.add(make_samples([5], memory=(1, 1, 1, 1)))
    lane.add(make_samples([5, 5], end_ns=70_000_000_000, memory=(1, 1, 1, 1)))
    assert lane.memory.rows()["gap"].tolist() == [True, True]


def test_an_hour_and_more_stays_within_bounds(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    ns, step = 0, 2_000_000_000_000
    for _ in range(4):  # four times 2,000 seconds at a sample each 40 ms
        ns += step
        samples = make_samples([39.0] * 50_000, end_ns=ns, memory=(1, 1, 1, 1))
        lane.add(samples)
    assert len(lane.raw) == KEPT_SAMPLES
    assert len(lane.bins) <= 108_000
    assert len(lane.memory) <= 36_000
    assert lane.newest_ns() == ns


def test_clear_forgets_and_the_next_samples_start_afresh(make_samples: MakeSamples) -> None:
    lane = LaneBuffer()
    lane.add(make_samples([5] * 300, memory=(1, 1, 1, 1)))
    version = lane.version
    lane.clear()
    assert (len(lane.raw), len(lane.bins), len(lane.memory)) == (0, 0, 0)
    assert lane.newest_ns() is None
    assert not any(lane.has_kind.values())
    assert lane.version > version
    lane.add(make_samples([5], run=2))
    assert lane.raw.rows()["gap"].tolist() == [True]


def test_no_samples_change_nothing() -> None:
    lane = LaneBuffer()
    lane.add(np.zeros(0, SAMPLE))
    assert lane.version == 0
