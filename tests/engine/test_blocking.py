"""Straight-line code gets answers as values and failures as errors."""

import os
import signal
import threading

import psutil
import pytest

from app.engine.blocking import OpenLane
from app.errors import EngineDied, InternalError, ModelUnreadable
from app.imaging.crop import Crop


def test_a_lane_is_loaded_classifies_and_runs(lane, fake_command, grey):
    stages = []
    with OpenLane(lane(), stages.append, command=fake_command) as engine:
        assert engine.loaded.facts.name == "well"
        assert engine.classify(grey(200), Crop.CENTRE, top=1).top[0].label == "label 7"
        first = engine.run(grey(50), Crop.CENTRE, "quick")
        second = engine.run(grey(50), Crop.CENTRE, warmup=3, samples=4)
        pid = engine.pid
    assert stages == ["reading", "first-inference"]
    assert (first["warmup"].sum(), len(first)) == (10, 110)
    assert second["index"].tolist() == list(range(7)), "only what belongs to this run"
    assert not psutil.pid_exists(pid)


def test_a_run_of_nothing_but_warm_up(lane, fake_command, grey):
    with OpenLane(lane(), command=fake_command) as engine:
        samples = engine.run(grey(50), Crop.CENTRE, warmup=5, samples=0)
    assert samples["warmup"].tolist() == [1] * 5


def test_a_cancelled_run_returns_what_was_measured(lane, fake_command, grey):
    cancel = threading.Event()
    cancel.set()
    with OpenLane(lane(), command=fake_command) as engine:
        samples = engine.run(grey(50), Crop.CENTRE, "live", cancel=cancel)
        assert len(samples) < 1000
        assert engine.classify(grey(200), Crop.CENTRE).top[0].index == 7


def test_a_live_run_without_an_end_is_refused(lane, fake_command, grey):
    with OpenLane(lane(), command=fake_command) as engine, pytest.raises(ValueError, match="end"):
        engine.run(grey(50), Crop.CENTRE, "live")


def test_a_model_that_cannot_be_loaded_raises_and_leaves_no_process(lane, fake_command):
    engine = OpenLane(lane("unreadable"), command=fake_command)
    with pytest.raises(ModelUnreadable), engine:
        pass
    assert not psutil.pid_exists(engine.pid)


def test_a_failed_request_raises_and_the_next_one_works(lane, fake_command, grey):
    with OpenLane(lane("defect-once"), command=fake_command) as engine:
        with pytest.raises(InternalError):
            engine.run(grey(1), Crop.CENTRE, "quick")
        assert engine.classify(grey(200), Crop.CENTRE).top[0].index == 7


def test_a_death_raises_and_so_does_every_call_after_it(lane, fake_command, grey):
    with OpenLane(lane("kills-itself"), command=fake_command) as engine:
        for _ in range(2):
            with pytest.raises(EngineDied):
                engine.classify(grey(1), Crop.CENTRE)
        with pytest.raises(EngineDied):
            engine.run(grey(1), Crop.CENTRE)


def test_ctrl_c_during_a_run_ends_the_process(lane, fake_command, grey):
    engine = OpenLane(lane(), command=fake_command)
    interrupt = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt), engine:
        engine.run(grey(1), Crop.CENTRE, "full")
    assert not psutil.pid_exists(engine.pid)


def test_ctrl_c_while_loading_ends_the_process(lane, fake_command):
    def interrupt(_stage):
        raise KeyboardInterrupt

    engine = OpenLane(lane("hangs-while-loading"), interrupt, command=fake_command)
    with pytest.raises(KeyboardInterrupt), engine:
        pass
    assert not psutil.pid_exists(engine.pid)
