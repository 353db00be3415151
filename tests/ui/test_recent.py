"""The ring of newest samples."""

from __future__ import annotations

import numpy as np

from app.ui.recent import RecentSamples
from tests.ui.fake_engine import samples


def test_nothing_measured_is_none_not_zero():
    recent = RecentSamples()
    assert recent.newest_run() is None
    assert recent.last_bytes("footprint") is None


def test_keeps_the_order_of_arrival_when_the_ring_wraps():
    recent = RecentSamples(capacity=8)
    for first in range(0, 21, 3):
        recent.add(samples(3, 1.0, first=first))
    assert recent.newest_run(1000.0)["index"].tolist() == list(range(13, 21))


def test_takes_more_samples_at_once_than_it_can_hold():
    recent = RecentSamples(capacity=4)
    recent.add(samples(10, 1.0))
    recent.add(samples(1, 1.0, first=10))
    assert recent.newest_run(1000.0)["index"].tolist() == [7, 8, 9, 10]


def test_leaves_out_warm_up_and_what_is_too_old():
    recent = RecentSamples()
    recent.add(samples(100, 99.0, warmup=20))  # one every 0.1 s
    assert len(recent.newest_run(2.05)) == 21
    assert len(recent.newest_run(1000.0)) == 80


def test_memory_that_was_not_read_with_a_sample_is_looked_for_further_back():
    recent = RecentSamples()
    recent.add(samples(5, 1.0))
    later = samples(5, 1.0, first=5)
    later["footprint"] = -1
    recent.add(later)
    assert recent.last_bytes("footprint") == 118_000_000
    assert recent.last_bytes("mlx_active") is None
    assert isinstance(recent.last_bytes("footprint"), int)
    assert not isinstance(recent.last_bytes("footprint"), np.integer)
