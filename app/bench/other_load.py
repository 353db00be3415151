"""How much of the machine other programs use while we measure."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class CpuTimes:
    """Seconds of processor time, at one moment. `ours_s` covers this process and its descendants, living and ended."""

    wall_s: float
    machine_s: float
    ours_s: float


def read_cpu_times() -> CpuTimes:
    """Processor time spent so far, by the whole machine and by us."""
    machine = psutil.cpu_times()
    # guest time is counted in user time already, so it is not added a second time.
    busy = sum(getattr(machine, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return CpuTimes(wall_s=time.monotonic(), machine_s=busy, ours_s=_ours_s())


def other_load(before: CpuTimes, after: CpuTimes, cores: int | None = None) -> float | None:
    """Share of all cores that others used between the two readings, 0 to 1; None when no time passed."""
    available_s = (after.wall_s - before.wall_s) * (cores or os.cpu_count() or 1)
    if available_s <= 0:
        return None
    others_s = (after.machine_s - before.machine_s) - (after.ours_s - before.ours_s)
    return min(1.0, max(0.0, others_s / available_s))


def _ours_s() -> float:
    this = psutil.Process()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime
    for process in [this, *this.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:  # it ended between the listing and the question
            continue
        seconds += times.user + times.system
    return seconds
