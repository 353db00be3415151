"""The record says of a race what its samples say, and no more."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest

from app.bench.race import run_race
from app.bench.record import PhotoRecord, from_json, to_json
from app.bench.report import comparisons_of, record_of
from app.errors import EngineDied
from tests.bench.stand_ins import MAINS, MODEL, MS, PHOTO, SHORT, Stage, lane, plan

DIED = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
A, B = lane("mlx-cpu"), lane("mlx-gpu", "fp16")


@dataclass(frozen=True)
class Chip:
    chip: str = "Test chip"
    gpu_cores: int | None = None


def raced(*lanes, baseline=0, cancel=None, **behaviour):
    return run_race(
        plan(*lanes, baseline=baseline),
        PHOTO,
        open_engine=Stage().opening(**behaviour),
        conditions=lambda: MAINS,
        cancel=cancel,
    )


def record(race):
    return record_of(
        race,
        photo=PhotoRecord(name="cat.jpg", width=6, height=4, crop="centre"),
        machine=Chip(),
        versions={"mlx": "1"},
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        model_names={MODEL: "lite0"},
    )


def test_figures_are_those_of_the_measured_samples():
    found = record(raced(A, mlx_cpu={"ms": 2.0})).lanes[0]
    assert found.n == SHORT.rounds * SHORT.samples
    assert found.warmup == SHORT.warmup + SHORT.rounds * SHORT.block_warmup
    assert (found.engine_ms.median, found.engine_ms.max, found.engine_ms.n) == (2.0, 2.0, found.n)
    assert found.total_ms.median == 3.0
    assert found.prepare_ms.median == 0.5
    assert found.memory_bytes == 300
    assert found.energy_j is None


def test_throughput_leaves_out_the_time_between_blocks():
    """3 ms a sample end to end, whatever the other lane takes meanwhile."""
    found = record(raced(A, B, mlx_cpu={"ms": 2.0}, mlx_gpu={"ms": 500.0}))
    assert found.lanes[0].throughput_per_s == pytest.approx(1000 / 3)


def test_throughput_counts_every_image_of_a_batch():
    found = record(raced(lane(batch=8), mlx_cpu={"ms": 7.0}))
    assert found.lanes[0].throughput_per_s == pytest.approx(8 * 1000 / 8)


def test_ratio_is_the_lanes_time_over_the_baselines():
    (found,) = record(raced(A, B, mlx_cpu={"ms": 4.0}, mlx_gpu={"ms": 1.0})).comparisons
    assert (found.lane, found.baseline) == (1, 0)
    assert (found.ratio, found.low, found.high) == (pytest.approx(0.25), pytest.approx(0.25), pytest.approx(0.25))


def test_any_lane_can_be_the_baseline():
    (found,) = record(raced(A, B, baseline=1, mlx_cpu={"ms": 4.0}, mlx_gpu={"ms": 1.0})).comparisons
    assert (found.lane, found.baseline, found.ratio) == (0, 1, pytest.approx(4.0))


def test_drift_that_both_lanes_share_leaves_the_ratio_alone():
    """The machine gets 3 times as slow during the race; the ratio of the turns stays within a turn's drift of 2."""

    def slowing(ms):
        return lambda clock_ns: ms * (1 + clock_ns / (1000 * MS))

    race = raced(A, B, mlx_cpu={"ms": slowing(10)}, mlx_gpu={"ms": slowing(20)})
    summary = record(race).lanes[0].engine_ms
    assert summary.max / summary.min > 1.5
    (found,) = comparisons_of(race)
    assert found.ratio == pytest.approx(2, rel=0.1)


def test_lane_that_failed_early_is_compared_over_the_rounds_it_finished():
    race = raced(A, B, mlx_gpu={"fail": 4, "error": DIED})
    found = record(race)
    assert found.lanes[1].failure.error == "EngineDied"
    assert "SIGKILL" in found.lanes[1].failure.sentence
    assert found.lanes[1].n == 2 * SHORT.samples
    assert found.comparisons[0].low is None  # two rounds carry no interval
    assert not found.complete


def test_block_that_was_broken_off_is_in_no_pair():
    race = raced(A, B)
    race.runs[1].blocks[3] = race.runs[1].blocks[3][:2]
    race.runs[1].blocks[3]["engine_ns"] = 10**12
    (found,) = comparisons_of(race)
    assert found.ratio == pytest.approx(1)


def test_lane_that_never_opened_has_no_figures():
    found = record(raced(A, B, mlx_gpu={"fail": "open", "error": DIED}))
    broken = found.lanes[1]
    assert (broken.n, broken.engine_ms, broken.throughput_per_s, broken.memory_bytes) == (0, None, None, None)
    assert (broken.top, broken.agreement, broken.verdict, broken.load) == ((), None, None, None)
    assert found.comparisons == ()


def test_lanes_are_compared_with_the_fp32_answer():
    found = record(raced(A, B, mlx_cpu={"probabilities": (0.9, 0.1)}, mlx_gpu={"probabilities": (0.2, 0.8)}))
    assert found.lanes[0].agreement.agrees
    assert not found.lanes[1].agreement.agrees
    assert found.lanes[1].top[0].label == "dog"


def test_every_lane_has_a_verdict():
    found = record(raced(A)).lanes[0].verdict
    assert not found.trusted
    assert "too-few-samples" in found.reasons


def test_json_has_the_promised_shape_and_reads_back():
    made = record(raced(A, B))
    assert from_json(to_json(made)) == made
    plain = json.loads(to_json(made))
    assert {"lanes", "comparisons", "conditions", "schema"} <= plain.keys()
    identity, figures = "model target precision batch top verdict", "n engine_ms prepare_ms total_ms throughput_per_s"
    assert set(f"{identity} {figures} memory_bytes energy_j".split()) <= plain["lanes"][0].keys()
    assert {"median", "p90", "p95", "p99", "min", "max"} <= plain["lanes"][0]["engine_ms"].keys()
    assert {"lane", "baseline", "ratio", "low", "high"} == plain["comparisons"][0].keys()
    assert plain["lanes"][0]["model"] == "lite0"
    assert plain["started"] == "2026-01-02T03:04:05+00:00"
    assert plain["conditions"]["machine"] == {"chip": "Test chip", "gpu_cores": None}
    assert plain["conditions"]["start"]["on_battery"] is False


def test_another_schema_is_refused():
    text = to_json(record(raced(A))).replace(b'"schema": 1', b'"schema": 99')
    with pytest.raises(msgspec.ValidationError, match="99"):
        from_json(text)
