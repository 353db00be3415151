"""Lanes take turns; what fails leaves the others alone; what was measured is kept."""

import threading

import numpy as np
import pytest

from app.bench.other_load import CpuTimes
from app.bench.race import run_race
from app.errors import EngineDied, EngineRefused, UnsupportedOps
from tests.bench.stand_ins import BATTERY, MAINS, PHOTO, SHORT, Stage, lane, plan

DIED = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
A, B = lane("mlx-cpu"), lane("mlx-gpu")


@pytest.fixture
def stage():
    return Stage()


def race(plan, open_engine, **more):
    more.setdefault("conditions", lambda: MAINS)
    return run_race(plan, PHOTO, open_engine=open_engine, **more)


def runs_of(stage):
    return [one for name, one in stage.calls if name == "run"]


def test_lanes_take_turns(stage):
    done = race(plan(A, B), stage.opening())
    assert runs_of(stage) == [A, B] * (1 + SHORT.rounds)
    assert done.ended_by is None


def test_all_are_loaded_and_warm_before_the_first_block(stage):
    race(plan(A, B), stage.opening())
    names = [name for name, _lane in stage.calls]
    assert names[:6] == ["open", "open", "classify", "classify", "run", "run"]


def test_every_sample_is_kept_and_the_warm_up_is_left_out_of_the_figures(stage):
    done = race(plan(A), stage.opening())
    (run,) = done.runs
    assert sum(len(block) for block in run.blocks.values()) == SHORT.warmup + SHORT.rounds * (1 + SHORT.samples)
    assert len(run.samples()) == SHORT.rounds * SHORT.samples
    assert np.all(np.diff(run.samples()["end_ns"]) > 0)


def test_engines_are_closed_at_the_end(stage):
    race(plan(A, B), stage.opening())
    assert stage.open == []


@pytest.mark.parametrize("call", ["open", "classify", 1, 4])
def test_lane_that_fails_leaves_the_others_alone(stage, call):
    done = race(plan(A, B), stage.opening(mlx_gpu={"fail": call, "error": DIED}))
    assert done.runs[1].error is DIED
    assert done.runs[0].error is None
    assert len(done.runs[0].samples()) == SHORT.rounds * SHORT.samples
    assert done.ended_by is None
    assert stage.open == []


def test_samples_from_before_a_failure_are_kept(stage):
    done = race(plan(A, B), stage.opening(mlx_gpu={"fail": 4, "error": DIED}))  # the warm-up is run 1
    assert len(done.runs[1].samples()) == 2 * SHORT.samples


def test_engine_that_failed_is_closed_at_once(stage):
    race(plan(A, B), stage.opening(mlx_gpu={"fail": 2, "error": DIED}))
    assert stage.calls.index(("close", B)) < len(stage.calls) - 2


def test_race_ends_when_no_lane_is_left(stage):
    done = race(plan(A), stage.opening(mlx_cpu={"fail": 3, "error": DIED}))
    assert done.ended_by == "no-lane-left"
    assert len(runs_of(stage)) == 3


def test_defect_is_not_taken_for_a_lane_that_fails(stage):
    with pytest.raises(ZeroDivisionError):
        race(plan(A, B), stage.opening(mlx_gpu={"fail": "classify", "error": ZeroDivisionError()}))
    assert stage.open == []


def test_cancel_ends_the_race_and_keeps_what_was_measured(stage):
    cancel = threading.Event()

    def broken_off(number, block, given):
        assert given is cancel
        if number == 3:
            cancel.set()
            return block[:3]
        return block

    done = race(plan(A, B), stage.opening(mlx_gpu={"on_run": broken_off}), cancel=cancel)
    assert done.ended_by == "cancelled"
    assert len(done.runs[0].samples()) == 2 * SHORT.samples
    assert len(done.runs[1].samples()) == SHORT.samples + 2
    assert runs_of(stage)[-1] == B
    assert stage.open == []


def test_cancel_before_loading_opens_nothing(stage):
    cancel = threading.Event()
    cancel.set()
    done = race(plan(A), stage.opening(), cancel=cancel)
    assert done.ended_by == "cancelled"
    assert stage.calls == []


def test_change_of_power_source_ends_the_race(stage):
    readings = iter([MAINS, MAINS, BATTERY])
    done = race(plan(A), stage.opening(), conditions=lambda: next(readings))
    assert done.ended_by == "power-source-changed"
    assert done.conditions == [MAINS, MAINS, BATTERY]
    assert len(done.runs[0].samples()) == 2 * SHORT.samples


def test_fp32_lane_of_the_race_is_the_reference(stage):
    done = race(
        plan(lane("mlx-gpu", "fp16"), lane("mlx-cpu", "fp32")), stage.opening(mlx_cpu={"probabilities": (0.7, 0.3)})
    )
    (reference,) = done.references.values()
    assert reference.tolist() == pytest.approx([0.7, 0.3])
    assert [one for name, one in stage.calls if name == "open"].count(lane("mlx-cpu", "fp32")) == 1


def test_reference_is_fetched_when_no_lane_has_it(stage):
    done = race(plan(lane("mlx-gpu", "fp16")), stage.opening(mlx_cpu={"probabilities": (0.6, 0.4)}))
    (reference,) = done.references.values()
    assert reference.tolist() == pytest.approx([0.6, 0.4])
    # Closed before the first lane of the race opens: it takes part in nothing.
    assert [name for name, _lane in stage.calls[:4]] == ["open", "classify", "close", "open"]


@pytest.mark.parametrize(
    "error", [UnsupportedOps(model="cat", ops=("nms",)), EngineRefused(target="", model="", cause="")]
)
def test_without_a_reference_the_race_goes_on(stage, error):
    done = race(plan(lane("mlx-gpu", "fp16")), stage.opening(mlx_cpu={"fail": "open", "error": error}))
    assert done.references == {}
    assert done.ended_by is None


def test_each_model_has_its_own_reference(stage):
    one, two = lane(model="/a.mlpackage"), lane("mlx-gpu", "fp16", model="/b.mlpackage")
    done = race(plan(one, two), stage.opening())
    assert set(done.references) == {"/a.mlpackage", "/b.mlpackage"}


def test_progress_is_told_step_by_step(stage):
    steps = []
    race(plan(A), stage.opening(), on_progress=steps.append)
    assert [one.step for one in steps[:6]] == ["loading", "loading", "loaded", "warming-up", "measured", "measuring"]
    assert steps[1].stage == "loading"
    assert [one.round for one in steps if one.step == "measuring"] == list(range(1, SHORT.rounds + 1))
    assert len(steps[-1].block) == 1 + SHORT.samples


def test_failure_is_told(stage):
    steps = []
    race(plan(A, B), stage.opening(mlx_gpu={"fail": "open", "error": DIED}), on_progress=steps.append)
    assert [(one.lane, one.error) for one in steps if one.step == "failed"] == [(1, DIED)]


def test_other_load_covers_the_measured_blocks(stage):
    times = iter([CpuTimes(wall_s=0, machine_s=0, ours_s=0), CpuTimes(wall_s=1e9, machine_s=0, ours_s=0)])
    assert race(plan(A), stage.opening(), cpu_times=lambda: next(times)).other_load == 0.0
