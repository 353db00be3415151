"""Pixel columns keep the extremes, break at gaps and move in whole steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.charts.buffer import BIN_NS, Clock, LaneBuffer
from app.ui.charts.columns import Span, latency_columns, memory_lines, span

MakeSamples = Callable[..., np.ndarray]

SECOND = 1_000_000_000
END = 60 * SECOND


def lane_of(*portions: np.ndarray) -> LaneBuffer:
    lane = LaneBuffer()
    for samples in portions:
        lane.add(samples)
    return lane


def seconds_before_the_end(where: Span) -> np.ndarray:
    """Of the middle of every column."""
    return (END - where.start_ns - (np.arange(where.count) + 0.5) * where.column_ns) / SECOND


@given(st.integers(0, 10**15), st.integers(10**6, 3600 * 10**9), st.integers(1, 4000))
def test_a_span_has_no_more_columns_than_pixels_and_ends_where_asked(end: int, length: int, most: int) -> None:
    found = span(end - length, end, most)
    assert 1 <= found.count <= most
    assert end - found.column_ns < found.end_ns <= end
    assert found.start_ns == found.first * found.column_ns


@given(st.integers(10**12, 10**15), st.integers(100, 3000))
def test_the_usual_window_has_columns_of_whole_bins(end: int, pixels: int) -> None:
    assert span(end - 30 * SECOND, end, pixels).column_ns % BIN_NS == 0


def test_the_extremes_of_every_window_are_the_extremes_of_its_columns(make_samples: MakeSamples) -> None:
    rng = np.random.default_rng(3)
    ms = rng.lognormal(0.5, 1.0, 12_000)
    samples = make_samples(ms, end_ns=END)
    lane = lane_of(samples)
    for pixels in (37, 200, 900, 2500):
        where = span(END - 10 * SECOND, END, pixels)
        columns = latency_columns(lane, Clock.ENGINE, where)
        inside = (samples["end_ns"] >= where.start_ns) & (samples["end_ns"] < where.end_ns)
        assert np.nanmax(columns.high) == pytest.approx(ms[inside].max(), rel=1e-3)
        assert np.nanmin(columns.low) == pytest.approx(ms[inside].min(), rel=1e-3)
        filled = np.isfinite(columns.low)
        assert (columns.low[filled] <= columns.middle[filled] * 1.000001).all()
        assert (columns.middle[filled] <= columns.high[filled] * 1.000001).all()


def test_columns_between_two_slow_samples_are_joined_by_a_straight_line(make_samples: MakeSamples) -> None:
    samples = make_samples([999, 999], end_ns=END)
    samples["engine_ns"] = (100_000_000, 200_000_000)
    columns = latency_columns(lane_of(samples), Clock.ENGINE, Span(END - 2 * SECOND, SECOND // 10, 21))
    line = columns.middle[np.isfinite(columns.middle)]
    assert line[0] == pytest.approx(100)
    assert line[-1] == pytest.approx(200)
    assert np.allclose(np.diff(line), 10, atol=0.01)
    assert np.isfinite(columns.low).sum() == 2  # no spikes are made up in between


def test_nothing_is_drawn_where_nothing_was_measured(make_samples: MakeSamples) -> None:
    before = make_samples([9] * 100, end_ns=END - 3 * SECOND)
    after = make_samples([9] * 100, end_ns=END)
    where = span(END - 10 * SECOND, END, 100)
    columns = latency_columns(lane_of(before, after), Clock.ENGINE, where)
    seconds_ago = seconds_before_the_end(where)
    assert np.isnan(columns.middle[(seconds_ago < 2.8) & (seconds_ago > 1.2)]).all()
    assert np.isfinite(columns.middle[(seconds_ago > 0.1) & (seconds_ago < 0.9)]).all()
    assert np.isfinite(columns.middle[(seconds_ago > 3.2) & (seconds_ago < 3.8)]).all()
    assert np.isnan(columns.middle[seconds_ago > 4.2]).all()


def test_a_gap_narrower_than_a_column_still_breaks_the_curve(make_samples: MakeSamples) -> None:
    one = make_samples([9] * 100, end_ns=END - SECOND, run=1)
    other = make_samples([9] * 100, end_ns=END, run=2)
    columns = latency_columns(lane_of(one, other), Clock.ENGINE, span(END - 4 * SECOND, END, 40))
    assert columns.breaks.sum() == 2  # where it begins, and between the runs


def test_deep_in_a_zoom_every_sample_is_there(make_samples: MakeSamples) -> None:
    samples = make_samples([1, 5, 2, 7, 3], end_ns=END - 1)  # 2, 6, 3, 8 and 4 ms each
    where = span(END - SECOND // 50, END, 2000)
    assert where.column_ns < BIN_NS
    columns = latency_columns(
        lane_of(make_samples([1] * 50, end_ns=int(samples["end_ns"][0]) - 2_000_000), samples), Clock.ENGINE, where
    )
    values = columns.low[np.isfinite(columns.low)]
    assert values.tolist() == [5, 2, 7, 3]


def test_the_other_clock_is_a_choice(make_samples: MakeSamples) -> None:
    lane = lane_of(make_samples([9] * 200, end_ns=END))
    where = span(END - SECOND, END, 30)
    assert np.nanmax(latency_columns(lane, Clock.ENGINE, where).high) == pytest.approx(9)
    assert np.nanmax(latency_columns(lane, Clock.END_TO_END, where).high) == pytest.approx(10)


def test_warm_up_is_marked(make_samples: MakeSamples) -> None:
    lane = lane_of(make_samples([9] * 200, end_ns=END, warmup=100))  # 10 ms each: one second of two
    where = span(END - 2 * SECOND, END, 20)
    columns = latency_columns(lane, Clock.ENGINE, where)
    seconds_ago = seconds_before_the_end(where)
    assert columns.warmup[(seconds_ago > 1.1) & (seconds_ago < 1.9)].all()
    assert not columns.warmup[seconds_ago < 0.9].any()


def test_a_lane_without_samples_is_empty_everywhere() -> None:
    columns = latency_columns(LaneBuffer(), Clock.ENGINE, span(0, END, 50))
    assert np.isnan(columns.middle).all()
    assert np.isnan(columns.low).all()
    assert not columns.warmup.any()
    assert not columns.breaks.any()


def test_scrolling_by_a_column_moves_everything_by_one(make_samples: MakeSamples) -> None:
    rng = np.random.default_rng(1)
    lane = lane_of(make_samples(rng.uniform(1, 9, 8000), end_ns=END))
    now = span(END - 12 * SECOND, END - 2 * SECOND, 300)
    later = span(END - 12 * SECOND + now.column_ns, END - 2 * SECOND + now.column_ns, 300)
    assert later.first == now.first + 1
    one, other = (latency_columns(lane, Clock.ENGINE, where) for where in (now, later))
    for name in ("low", "middle", "high"):
        assert np.array_equal(getattr(one, name)[1:], getattr(other, name)[:-1], equal_nan=True)


def test_memory_lines_say_mb_and_break_at_gaps(make_samples: MakeSamples) -> None:
    before = make_samples([9] * 100, end_ns=END - 3 * SECOND, memory=(118_000_000, 21_000_000, 0, -1))
    after = make_samples([9] * 200, end_ns=END, memory=(120_000_000, 21_000_000, 0, -1))
    lines = memory_lines(lane_of(before, after), ("footprint", "cache", "peak"), span(END - 10 * SECOND, END, 100))
    assert np.nanmax(lines["footprint"].middle) == pytest.approx(120)
    assert np.nanmin(lines["footprint"].middle) == pytest.approx(118)
    assert np.nanmax(lines["cache"].middle) == 0
    assert np.isnan(lines["peak"].middle).all()
    assert np.isfinite(lines["footprint"].middle).sum() < 30
