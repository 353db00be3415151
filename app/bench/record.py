"""The result of a race as it is shown, kept and exported. JSON of these structs is a file format: see `SCHEMA`."""

from __future__ import annotations

from typing import Any

import msgspec

from app.bench.agreement import Agreement
from app.bench.statistics import Summary
from app.bench.verdict import Verdict
from app.engine.messages import Answer
from app.engine.targets import Precision

SCHEMA = 1
"""Raised when a field changes its meaning or goes; a new field with a default does not raise it."""


class LoadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a lane got ready. Never part of its latencies."""

    load_ms: float
    from_cache: bool
    first_inference_ms: float
    device: str
    device_is_certain: bool
    """False when `device` is only what was asked for."""
    cache_note: str | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a lane has no result, or no more of it: an error's class and its sentence in the language of the run."""

    error: str
    sentence: str


class LaneRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One lane of a race. A figure that was not measured is None, never 0."""

    model: str
    model_digest: str | None
    target: str
    precision: Precision
    batch: int
    n: int
    """Measured samples, without the warm-up. A sample is one batch."""
    warmup: int
    """Samples that were kept but left out of the figures."""
    engine_ms: Summary | None
    """From the call of the runtime to its finished result."""
    prepare_ms: Summary | None
    """From the decoded photo to the model's input."""
    total_ms: Summary | None
    """From the decoded photo to labels in hand."""
    throughput_per_s: float | None
    """Images a second, end to end, one batch after the other. Not a rate under load."""
    memory_bytes: int | None
    """Largest footprint of the engine process while it measured."""
    energy_j: float | None
    """Joules an inference; None where no meter can be read."""
    top: tuple[Answer, ...]
    agreement: Agreement | None
    """Against the fp32 result of the same file; None when there is no such result or the model is no classifier."""
    verdict: Verdict | None
    load: LoadRecord | None
    failure: Failure | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How many times as long `lane` takes as `baseline`; both are positions in `lanes`.

    The median of the ratios of paired blocks' median engine times, and its 95 % bootstrap interval.
    """

    lane: int
    baseline: int
    ratio: float
    low: float | None
    high: float | None


class PhotoRecord(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    width: int
    height: int
    crop: str


class ConditionsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounded the measurement. `machine`, `start` and `end` are the readings of `app.machine`, field by
    field."""

    machine: dict[str, Any]
    start: dict[str, Any]
    end: dict[str, Any]
    other_load: float | None
    """Share of all cores that other programs used while lanes were measured, 0 to 1."""
    versions: dict[str, str]


class RaceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finished or broken-off race."""

    schema: int = SCHEMA
    kind: str = "race"
    dyno: str
    """Version of this program."""
    started: str
    """Time in UTC, ISO 8601."""
    mode: str
    complete: bool
    """Whether it ran to its end with every lane."""
    ended_by: str | None
    """Why it is incomplete: "cancelled", "power-source-changed", "no-lane-left"; None, too, where a lane
    failed and the others went on."""
    photo: PhotoRecord
    lanes: tuple[LaneRecord, ...]
    comparisons: tuple[Comparison, ...]
    conditions: ConditionsRecord


def to_json(record: RaceRecord) -> bytes:
    """The record as indented UTF-8 JSON."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2)


def from_json(text: bytes) -> RaceRecord:
    """The record that `to_json` wrote. Raises msgspec.ValidationError for anything else."""
    record = msgspec.json.decode(text, type=RaceRecord)
    if record.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema {record.schema} is not {SCHEMA}")
    return record
