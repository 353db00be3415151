"""A race of real engine processes."""

import itertools
import threading
from pathlib import Path

import pytest

from app.bench.pace import Pace
from app.bench.race import run_race
from app.bench.report import comparisons_of
from app.engine.blocking import OpenLane
from app.engine.messages import Lane
from app.imaging.photo import open_photo
from tests.bench.stand_ins import SHORT, plan

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "resources" / "models" / "EfficientNet-Lite0-fp16.mlpackage"
LANE = Lane(model=str(MODEL), target="mlx-cpu", precision="fp32")

pytestmark = pytest.mark.mlx


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DYNO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        yield open_photo(ROOT / "resources" / "samples" / "coffee.jpg").rgb_hwc


@pytest.fixture(scope="module")
def equal_lanes(photo):
    """A finished race of a lane against itself."""
    return run_race(plan(LANE, LANE), photo, open_engine=OpenLane)


def test_equal_lanes_get_equal_work_and_give_equal_answers(equal_lanes):
    assert equal_lanes.ended_by is None
    assert [len(run.samples()) for run in equal_lanes.runs] == [SHORT.rounds * SHORT.samples] * 2
    first, second = equal_lanes.runs
    assert first.classified.probabilities == second.classified.probabilities
    (compared,) = comparisons_of(equal_lanes)
    assert 0.2 < compared.ratio < 5  # what the machine does to them meanwhile is no matter of this test
    assert 0 <= equal_lanes.other_load <= 1


def test_blocks_never_overlap(equal_lanes):
    blocks = sorted(
        (int(block["end_ns"][0] - block["total_ns"][0]), int(block["end_ns"][-1]))
        for run in equal_lanes.runs
        for block in run.blocks.values()
    )
    assert all(ended <= begun for (_, ended), (begun, _) in itertools.pairwise(blocks))


def test_cancel_in_the_middle_of_a_block_keeps_its_samples(photo):
    cancel = threading.Event()
    endless = plan(LANE, pace=Pace(mode="quick", rounds=2, warmup=1, block_warmup=0, samples=10**6))

    def on_progress(step):
        if step.step == "measuring":
            threading.Timer(1.0, cancel.set).start()

    race = run_race(endless, photo, open_engine=OpenLane, on_progress=on_progress, cancel=cancel)
    assert race.ended_by == "cancelled"
    assert 0 < len(race.runs[0].samples()) < 10**6
