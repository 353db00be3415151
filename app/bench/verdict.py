"""Whether a result may be believed. A reader sees the verdict before the number."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from numpy.typing import ArrayLike

from app.bench.statistics import Summary, is_settled
from app.i18n import N_, _
from app.machine.conditions import Conditions

SAMPLES_TO_TRUST = 100
LARGEST_SPREAD = 0.20
LARGEST_OTHER_LOAD = 0.10
"""Share of all the machine's cores that other programs may use: on 8 cores, less than one."""
THROTTLED = frozenset({"serious", "critical"})
"""Thermal states of macOS in which the system lowers its clocks (ProcessInfo.ThermalState)."""

SENTENCES = {
    "too-few-samples": N_("fewer than 100 samples"),
    "unsettled": N_("still getting faster or slower at the end"),
    "spread": N_("the samples spread over more than 20 %"),
    "throttled": N_("the machine was too hot and slowed down"),
    "on-battery": N_("on battery"),
    "low-power-mode": N_("in Low Power Mode"),
    "busy-machine": N_("other programs kept the machine busy"),
}
"""Why a result is not trusted: id -> what to say. In the order in which they are given."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`reasons` are ids of `SENTENCES`; empty when the result is trusted."""

    trusted: bool
    reasons: tuple[str, ...]


def judge(
    engine_ms: ArrayLike, summary: Summary, conditions: Iterable[Conditions] = (), *, other_load: float | None = None
) -> Verdict:
    """The verdict on one lane's measured latencies, oldest first, with their summary.

    `conditions` were read around the measurement, at its start and end at least; `other_load` is the share of the
    machine that other programs used meanwhile, 0 to 1. What is not known (None) does not count against a result.
    """
    read = tuple(conditions)
    found = {
        "too-few-samples": summary.n < SAMPLES_TO_TRUST,
        "unsettled": summary.n >= SAMPLES_TO_TRUST and not is_settled(engine_ms),
        "spread": summary.spread is None or summary.spread > LARGEST_SPREAD,
        "throttled": any(one.thermal_state in THROTTLED for one in read),
        "on-battery": any(one.on_battery is True for one in read),
        "low-power-mode": any(one.low_power_mode is True for one in read),
        "busy-machine": other_load is not None and other_load > LARGEST_OTHER_LOAD,
    }
    reasons = tuple(reason for reason in SENTENCES if found[reason])
    return Verdict(trusted=not reasons, reasons=reasons)


def reason_sentence(reason: str) -> str:
    """What to say for an id in `Verdict.reasons`, in the current language."""
    return _(SENTENCES[reason])
