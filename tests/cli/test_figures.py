"""Figures have at most three digits that count, and their unit."""

import pytest

from app.cli.figures import figure, memory_size, milliseconds, percent, size


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1234, "0.123"), (1.0, "1.00"), (12.34, "12.3"), (99.96, "100"), (123.4, "123"), (1234.5, "1,230"), (0, "0.00")],
)
def test_three_digits(value, shown):
    assert figure(value).rstrip(".") == shown


def test_times_have_their_unit_or_none_at_all():
    assert milliseconds(1.5) == "1.50 ms"
    assert milliseconds(None) == "–"


@pytest.mark.parametrize(("share", "shown"), [(0.807, "80.7 %"), (1, "100.0 %"), (0.0004, "0.0 %")])
def test_percent(share, shown):
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(None, "–"), (12, "12 bytes"), (1500, "1.50 kB"), (118e6, "118 MB"), (2.5e9, "2.50 GB")]
)
def test_size(count, shown):
    assert size(count) == shown


def test_memory_is_counted_in_powers_of_two():
    assert memory_size(64 * 2**30) == "64.0 GB"
