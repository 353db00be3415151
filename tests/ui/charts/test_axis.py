"""Axes have few, round ticks and ranges that rest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.charts.axis import RestingSpan, RestingTop, linear_ticks, log_ticks, nice_above


@given(st.floats(1e-6, 1e9))
def test_a_nice_number_is_at_least_the_value_and_not_twice_it(value: float) -> None:
    assert value * 0.999999 <= nice_above(value) <= 2 * value


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e7))
def test_an_axis_has_two_to_five_ticks_inside_its_range(low: float, length: float) -> None:
    ticks = linear_ticks(low, low + length)
    assert 1 <= len(ticks) <= 5
    assert all(low - length * 1e-3 <= tick.at <= low + length * 1.001 for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 10, ["0.0", "2.5", "5.0", "7.5", "10.0"]),
        (0, 40, ["0", "10", "20", "30", "40"]),
        (0, 1500, ["0", "500", "1,000", "1,500"]),
        (0, 0.02, ["0.000", "0.005", "0.010", "0.015", "0.020"]),
        (-30, 0, ["−30", "−20", "−10", "0"]),
        (0.9, 1.3, ["0.9", "1.0", "1.1", "1.2", "1.3"]),
    ],
)
def test_ticks_share_their_decimals(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in linear_ticks(low, high)] == texts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["1", "2", "5", "10"]),
        (-1, 2, ["0.1", "1", "10", "100"]),
        (0, 0.5, ["1", "2"]),
        (-0.5, 1.5, ["1", "3", "10", "30"]),
        (-3, 6, ["0.001", "0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100,000", "1,000,000"][::2]),
    ],
)
def test_a_logarithmic_axis_shows_values_and_not_exponents(low: float, high: float, texts: list[str]) -> None:
    ticks = log_ticks(low, high)
    shown = [tick.text for tick in ticks]
    assert len(shown) <= 5
    assert all(float(tick.text.replace(",", "")) == pytest.approx(10**tick.at, rel=1e-6) for tick in ticks)
    assert shown == texts


def test_the_top_grows_at_once_and_shrinks_only_after_a_while() -> None:
    axis = RestingTop(10.0)
    assert axis.fit(3.0, 0) == pytest.approx(4.0)
    assert axis.fit(50.0, 1) == 60.0
    assert axis.fit(56.0, 2) == 60.0
    assert axis.fit(5.0, 3) == 60.0
    assert axis.fit(5.0, 5) == 60.0
    assert axis.fit(5.0, 6.1) == 6.0


def test_one_high_value_starts_the_wait_anew() -> None:
    axis = RestingTop(10.0)
    axis.fit(50.0, 0)
    axis.fit(5.0, 1)
    axis.fit(50.0, 3)
    assert axis.fit(5.0, 4.5) == 60.0
    assert axis.fit(5.0, 6) == 60.0
    assert axis.fit(5.0, 8) == 6.0


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, 0.0, -1.0])
def test_no_value_leaves_the_axis_as_it_is(nothing: float | None) -> None:
    axis = RestingTop(10.0)
    axis.fit(50.0, 0)
    assert axis.fit(nothing, 100) == 60.0
    axis.reset()
    assert axis.fit(nothing, 100) == 10.0


def test_a_span_rests_until_data_leave_it() -> None:
    axis = RestingSpan()
    assert axis.fit(2.0, 8.0, 0) == (2.0, 8.0)
    assert axis.fit(2.5, 7.5, 1) == (2.0, 8.0)
    assert axis.fit(1.0, 5.0, 2) == (1.0, 8.0)
    assert axis.fit(4.0, 5.0, 3) == (1.0, 8.0)
    assert axis.fit(4.0, 5.0, 6.1) == (4.0, 5.0)
    axis.reset()
    assert axis.fit(0.0, 1.0, 7) == (0.0, 1.0)
