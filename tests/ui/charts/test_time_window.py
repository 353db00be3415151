"""The time axis follows the samples, and rests when they stop, while paused and while zoomed."""

from __future__ import annotations

from app.ui.charts.time_window import TimeWindow

SECOND = 1_000_000_000


def test_while_samples_come_the_end_is_now() -> None:
    window = TimeWindow()
    window.follow(100 * SECOND, newest_ns=int(99.9 * SECOND), patience_ns=SECOND)
    assert window.moves()
    assert window.end_ns == 100 * SECOND
    assert window.range_ns() == (70 * SECOND, 100 * SECOND)


def test_when_they_stop_the_picture_stays_where_it_was() -> None:
    window = TimeWindow()
    for now in (100, 101, 102, 500):
        window.follow(now * SECOND, newest_ns=100 * SECOND, patience_ns=SECOND)
    assert not window.moves()
    assert window.end_ns == 101 * SECOND


def test_without_samples_there_is_no_time() -> None:
    window = TimeWindow()
    window.follow(100 * SECOND, None, SECOND)
    assert not window.moves()
    assert window.end_ns == 0


def test_pause_and_zoom_hold_the_end() -> None:
    window = TimeWindow()
    window.follow(100 * SECOND, 100 * SECOND, SECOND)
    window.paused = True
    window.follow(110 * SECOND, 110 * SECOND, SECOND)
    assert window.end_ns == 100 * SECOND
    window.paused, window.zoom = False, (-8.0, -6.0)
    window.follow(120 * SECOND, 120 * SECOND, SECOND)
    assert window.range_ns() == (92 * SECOND, 94 * SECOND)
    assert not window.moves()
    window.zoom = None
    window.follow(130 * SECOND, 130 * SECOND, SECOND)
    assert window.end_ns == 130 * SECOND


def test_long_stretches_are_counted_in_minutes() -> None:
    window = TimeWindow()
    assert not window.in_minutes()
    window.span_s = 300.0
    assert window.in_minutes()
    window.zoom = (-100.0, -10.0)
    assert not window.in_minutes()
