"""A lane's steps: what it does next in each situation, and which answers it drops."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.engine.messages import Lane
from app.errors import EngineDied, EngineRefused
from app.imaging.view import Crop
from app.ui.lane_state import Phase, Step, Subject
from app.ui.lane_track import LaneTrack
from tests.ui.fake_engine import MEMORY, classified, loaded, samples

LANE = Lane(model="/models/cats.mlpackage", target="mlx-cpu", precision="fp32")


def subject(crop: Crop = Crop.CENTRE) -> Subject:
    return Subject(SimpleNamespace(rgb_hwc=np.zeros((2, 2, 3), np.uint8)), crop)


@pytest.fixture
def track() -> LaneTrack:
    """A lane that is loaded and idle."""
    track = LaneTrack(LANE, since_s=10.0)
    track.on_loaded(loaded(), now_s=12.5)
    return track


def test_a_loading_lane_waits():
    assert LaneTrack(LANE, since_s=0.0).next_step(subject(), live=True) is None


def test_an_idle_lane_classifies_a_new_photo_first_and_then_runs(track):
    one = subject()
    assert track.next_step(one, live=True) is Step.CLASSIFY
    track.begin(Step.CLASSIFY, one, request=1, now_s=0.0)
    assert track.next_step(one, live=True) is None
    assert track.on_classified(classified(1), one)
    assert track.next_step(one, live=True) is Step.RUN
    assert track.next_step(one, live=False) is None


def test_a_new_photo_stops_the_run_before_it_is_classified(track):
    first, second = subject(), subject()
    track.begin(Step.CLASSIFY, first, request=1, now_s=0.0)
    track.on_classified(classified(1), first)
    track.begin(Step.RUN, first, request=2, now_s=0.0)
    assert track.next_step(first, live=True) is None
    assert track.next_step(second, live=True) is Step.STOP
    track.begin(Step.STOP, second, request=3, now_s=0.0)
    assert track.next_step(second, live=True) is None
    track.on_run_finished(2)
    assert track.next_step(second, live=True) is Step.CLASSIFY


def test_an_answer_with_another_number_is_dropped(track):
    one = subject()
    track.begin(Step.CLASSIFY, one, request=7, now_s=0.0)
    assert not track.on_classified(classified(6), one)
    assert track.answer is None
    assert track.phase is Phase.CLASSIFYING


def test_an_answer_for_a_photo_that_was_replaced_is_dropped(track):
    old, new = subject(), subject()
    track.begin(Step.CLASSIFY, old, request=1, now_s=0.0)
    assert not track.on_classified(classified(1), new)
    assert track.answer is None
    assert track.next_step(new, live=False) is Step.CLASSIFY


def test_the_same_photo_asked_again_is_classified_again_without_looking_stale(track):
    one = subject()
    track.begin(Step.CLASSIFY, one, request=1, now_s=0.0)
    track.on_classified(classified(1), one)
    again = Subject(one.photo, one.crop)
    assert track.next_step(again, live=False) is Step.CLASSIFY
    assert not track.state(again, 0.0, None, None, 5).stale


def test_another_crop_makes_the_answer_stale(track):
    one = subject()
    track.begin(Step.CLASSIFY, one, request=1, now_s=0.0)
    track.on_classified(classified(1), one)
    assert track.state(Subject(one.photo, Crop.FIT), 0.0, None, None, 5).stale


def test_a_refused_photo_is_not_asked_again_until_it_is_retried(track):
    one = subject()
    track.begin(Step.CLASSIFY, one, request=1, now_s=0.0)
    assert track.on_failed(EngineRefused(target="MLX · CPU", model="cats", cause="no"), 1)
    assert track.phase is Phase.READY
    assert track.next_step(one, live=True) is None
    track.ask_again()
    assert track.next_step(one, live=True) is Step.CLASSIFY


def test_a_failure_of_an_earlier_request_does_not_concern_the_lane(track):
    track.begin(Step.CLASSIFY, subject(), request=5, now_s=0.0)
    assert not track.on_failed(EngineRefused(target="", model="", cause=""), 4)
    assert track.error is None


def test_a_dead_engine_fails_the_lane(track):
    assert track.on_failed(EngineDied(target="MLX · CPU", how="signal SIGKILL", last_words=""), None)
    assert track.phase is Phase.FAILED
    assert not track.is_alive
    assert track.next_step(subject(), live=True) is None


def test_loading_counts_seconds_until_it_is_done(track):
    waiting = LaneTrack(LANE, since_s=10.0)
    assert waiting.state(None, 13.0, None, None, 5).seconds == 3.0
    assert track.state(None, 99.0, None, None, 5).seconds == 2.5


def test_live_numbers_are_of_measured_samples_of_the_newest_run(track):
    track.samples.add(samples(50, 40.0, run=1))
    track.samples.add(samples(60, 10.0, run=2, warmup=10))
    track.refresh_numbers()
    assert track.live is not None
    assert track.live.n == 50
    assert track.live.median == pytest.approx(10.0)
    assert track.images_per_s == pytest.approx(1000 / 11.0, rel=0.01)


def test_numbers_stay_while_a_new_run_has_too_few_samples(track):
    track.samples.add(samples(50, 40.0, run=1))
    track.refresh_numbers()
    track.samples.add(samples(2, 10.0, run=2))
    track.refresh_numbers()
    assert track.live.median == pytest.approx(40.0)


def test_memory_comes_from_the_newest_reading(track):
    assert track.memory() == MEMORY
    track.samples.add(samples(5, 10.0))
    assert track.memory().footprint_bytes == MEMORY.footprint_bytes
    assert track.memory().mlx_active_bytes is None


def test_a_stop_knows_how_long_it_takes(track):
    one = subject()
    track.begin(Step.RUN, one, request=1, now_s=20.0)
    assert track.state(one, 29.0, None, None, 5).stopping_s == 0.0
    track.begin(Step.STOP, one, request=2, now_s=30.0)
    assert track.state(one, 30.7, None, None, 5).stopping_s == pytest.approx(0.7)
    track.on_run_finished(1)
    assert track.state(one, 31.0, None, None, 5).stopping_s == 0.0
