"""Figures are short, honest and of one width."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12.345, "12.3"),
        (1.0, "1.00"),
        (2, "2.00"),
        (0.1234, "0.123"),
        (0.001, "0.001"),
        (0.0005, "0.001"),
        (0.00049, "<0.001"),
        (1e-30, "<0.001"),
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (9.994, "9.99"),
        (9.995, "10.0"),
        (0.9996, "1.00"),
        (99.94, "99.9"),
        (99.95, "100"),
        (999.4, "999"),
        (999.6, "1,000"),
        (1083.2, "1,080"),
        (1085, "1,090"),
        (9995, "10,000"),
        (123_456, "123,000"),
        (999_499, "999,000"),
        (999_500, "1.00×10⁶"),
        (1.2345e12, "1.23×10¹²"),
        (-1.234, "−1.23"),
        (-1e-9, ">−0.001"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (-math.inf, "–"),
    ],
)
def test_a_number_has_at_most_three_significant_digits(value: float | None, shown: str) -> None:
    assert numbers.show_number(value) == shown


@given(st.floats(min_value=0.0005, max_value=999_499))
def test_a_shown_number_is_within_its_last_digit_and_never_long(value: float) -> None:
    shown = numbers.show_number(value)
    digits = shown.replace(",", "").replace(".", "").strip("0")
    assert len(digits) <= 3
    assert len(shown) <= 7
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.00501, abs=0.000501)


@given(st.floats(min_value=0.001, max_value=9994))
def test_figures_up_to_ten_thousand_have_three_to_five_characters(value: float) -> None:
    assert 3 <= len(numbers.show_ms(value)) <= 5


def test_each_kind_of_figure() -> None:
    assert numbers.show_ms(12.345) == "12.3"
    assert numbers.show_rate(540.4) == "540"
    assert numbers.show_mb(118_400_000) == "118"
    assert numbers.show_mb(None) == "–"
    assert numbers.show_mb(-1) == ">−0.001"
    assert numbers.show_ratio(2.04) == "2.04×"
    assert numbers.show_ratio(None) == "–"


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.8123, "81.2"),
        (0.09, "9.0"),
        (1.0, "100"),
        (0.9996, "100"),
        (0.9994, "99.9"),
        (0.0005, "0.1"),
        (0.0004, "<0.1"),
        (0.0, "0"),
        (-0.05, "−5.0"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_percent_has_one_decimal_at_most(share: float | None, shown: str) -> None:
    assert numbers.show_percent(share) == shown


def test_unit_stands_behind_a_space_that_does_not_break() -> None:
    assert numbers.with_unit("12.3", numbers.MS) == "12.3\u00a0ms"
    assert numbers.with_unit(numbers.UNKNOWN, numbers.MS) == "–"


@pytest.mark.gui
def test_reserved_width_holds_every_figure(qapp: object) -> None:
    from PySide6.QtGui import QFont, QFontMetrics

    font = QFont()
    metrics = QFontMetrics(numbers.tabular(font))
    reserved = numbers.figure_width(font)
    for value in (0.001, 0.5, 1, 9.99, 10, 99.9, 111, 999, 1111, 9990):
        assert metrics.horizontalAdvance(numbers.show_ms(value)) <= reserved


@pytest.mark.gui
def test_tabular_figures_are_asked_for_without_touching_the_font_given(qapp: object) -> None:
    from PySide6.QtGui import QFont

    font = QFont()
    assert [tag.toString().data().decode() for tag in numbers.tabular(font).featureTags()] == ["tnum"]
    assert font.featureTags() == []
