"""The record of a race: its samples turned into figures, comparisons and verdicts."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np

from app import __version__
from app.bench.agreement import Agreement, compare
from app.bench.race import LaneRun, Race
from app.bench.record import (
    Comparison,
    ConditionsRecord,
    Failure,
    LaneRecord,
    LoadRecord,
    PhotoRecord,
    RaceRecord,
)
from app.bench.statistics import Summary, ratio_interval, summarise, throughput_per_s
from app.bench.verdict import judge

NS_PER_MS = 1e6
NS_PER_S = 1e9


def record_of(
    race: Race,
    *,
    photo: PhotoRecord,
    machine: Any,
    versions: dict[str, str],
    started: datetime,
    model_names: dict[str, str],
) -> RaceRecord:
    """The record of a race on `machine` (a reading of `app.machine.facts`); `model_names` are by the lanes' model
    path."""
    return RaceRecord(
        dyno=__version__,
        started=started.astimezone(UTC).isoformat(timespec="seconds"),
        mode=race.plan.pace.mode,
        complete=race.ended_by is None and all(run.error is None for run in race.runs),
        ended_by=race.ended_by,
        photo=photo,
        lanes=tuple(_lane_record(race, run, model_names[run.lane.model]) for run in race.runs),
        comparisons=comparisons_of(race),
        conditions=ConditionsRecord(
            machine=_fields(machine),
            start=_fields(race.conditions[0]),
            end=_fields(race.conditions[-1]),
            other_load=race.other_load,
            versions=versions,
        ),
    )


def comparisons_of(race: Race) -> tuple[Comparison, ...]:
    """Every measured lane but the baseline against the baseline, over the rounds that both finished."""
    baseline = _round_medians_ms(race, race.runs[race.plan.baseline])
    comparisons = []
    for index, run in enumerate(race.runs):
        medians = _round_medians_ms(race, run)
        rounds = sorted(medians.keys() & baseline.keys())
        if index == race.plan.baseline or not rounds:
            continue
        ratio = ratio_interval([medians[number] for number in rounds], [baseline[number] for number in rounds])
        comparisons.append(
            Comparison(lane=index, baseline=race.plan.baseline, ratio=ratio.ratio, low=ratio.low, high=ratio.high)
        )
    return tuple(comparisons)


def _round_medians_ms(race: Race, run: LaneRun) -> dict[int, float]:
    """Round -> median engine time of its block; a block that was broken off does not count."""
    medians = {}
    for number, block in run.blocks.items():
        measured = block["engine_ns"][block["warmup"] == 0]
        if number > 0 and measured.size >= race.plan.pace.samples:
            medians[number] = float(np.median(measured)) / NS_PER_MS
    return medians


def _lane_record(race: Race, run: LaneRun, model_name: str) -> LaneRecord:
    samples = run.samples()
    engine_ms = samples["engine_ns"] / NS_PER_MS
    summary = summarise(engine_ms) if samples.size else None
    return LaneRecord(
        model=model_name,
        model_digest=run.loaded.facts.digest if run.loaded else None,
        target=run.lane.target,
        precision=run.lane.precision,
        batch=run.lane.batch,
        n=int(samples.size),
        warmup=sum(len(block) for block in run.blocks.values()) - int(samples.size),
        engine_ms=summary,
        prepare_ms=_summary(samples["prepare_ns"]),
        total_ms=_summary(samples["total_ns"]),
        throughput_per_s=throughput_per_s(run.lane.batch * int(samples.size), _elapsed_s(run)),
        memory_bytes=_memory_bytes(run, samples),
        energy_j=None,
        top=run.classified.top if run.classified else (),
        agreement=_agreement(race, run),
        verdict=judge(engine_ms, summary, race.conditions, other_load=race.other_load) if summary else None,
        load=_load_record(run),
        failure=Failure(error=type(run.error).__name__, sentence=str(run.error)) if run.error else None,
    )


def _summary(times_ns: np.ndarray) -> Summary | None:
    return summarise(times_ns / NS_PER_MS) if times_ns.size else None


def _elapsed_s(run: LaneRun) -> float:
    """Seconds in which the measured samples were taken, block by block: from the start of the first to the end of the
    last."""
    elapsed_ns = 0
    for block in run.blocks.values():
        measured = block[block["warmup"] == 0]
        if measured.size:
            elapsed_ns += int(measured["end_ns"][-1]) - int(measured["end_ns"][0]) + int(measured["total_ns"][0])
    return elapsed_ns / NS_PER_S


def _memory_bytes(run: LaneRun, samples: np.ndarray) -> int | None:
    """Largest footprint while measuring; else that of the last answer or of loading."""
    read = samples["footprint"][samples["footprint"] >= 0]
    if read.size:
        return int(read.max())
    last = run.classified or run.loaded
    return last.memory.footprint_bytes if last else None


def _agreement(race: Race, run: LaneRun) -> Agreement | None:
    reference = race.references.get(run.lane.model)
    if reference is None or run.classified is None:
        return None
    return compare(reference, np.frombuffer(run.classified.probabilities, dtype=np.float32))


def _load_record(run: LaneRun) -> LoadRecord | None:
    if run.loaded is None:
        return None
    return LoadRecord(
        load_ms=run.loaded.load_ms,
        from_cache=run.loaded.from_cache,
        first_inference_ms=run.loaded.first_inference_ms,
        device=run.loaded.device,
        device_is_certain=run.loaded.device_is_certain,
        cache_note=run.loaded.cache_note,
    )


def _fields(reading: Any) -> dict[str, Any]:
    """A reading of `app.machine` as plain values."""
    plain = asdict(reading) if is_dataclass(reading) and not isinstance(reading, type) else msgspec.to_builtins(reading)
    return dict(plain)
