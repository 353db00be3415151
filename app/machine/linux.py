"""A Linux machine's facts, from the files in which the kernel shows them (proc(5), sysfs)."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Callable
from pathlib import Path

from app.machine.facts import Machine

ReadText = Callable[[str], str | None]

_CPU_FOLDER = "/sys/devices/system/cpu"


def read_text(path: str) -> str | None:
    """A file's text; None when it is not there or not readable."""
    try:
        return Path(path).read_text("utf-8", "replace").strip("\0\n ")
    except OSError:
        return None


def machine(read: ReadText) -> Machine:
    """The facts in what the files say."""
    cpuinfo = read("/proc/cpuinfo") or ""
    performance, efficiency = core_kinds(read, parse_physical_cores(cpuinfo))
    return Machine(
        chip=parse_chip(cpuinfo),
        model=read("/sys/class/dmi/id/product_name") or read("/proc/device-tree/model"),
        performance_cores=performance,
        efficiency_cores=efficiency,
        logical_cores=os.cpu_count(),
        gpu_cores=None,
        neural_engine_cores=None,
        memory_bytes=parse_memory(read("/proc/meminfo") or ""),
        system=f"{parse_distribution(read('/etc/os-release') or '') or 'Linux'}, Linux {platform.release()}",
    )


def core_kinds(read: ReadText, physical_cores: int | None) -> tuple[int | None, int | None]:
    """Fast and efficient physical cores.

    Intel's two kinds are listed as two devices. Where the capacities of cores differ (ARM), nothing says where fast
    ends: None. Otherwise all cores are of one kind.
    """
    fast, efficient = read("/sys/devices/cpu_core/cpus"), read("/sys/devices/cpu_atom/cpus")
    if fast and efficient:
        return _distinct_cores(read, parse_cpu_list(fast)), _distinct_cores(read, parse_cpu_list(efficient))
    capacities = {read(f"{_CPU_FOLDER}/cpu{cpu}/cpu_capacity") for cpu in range(os.cpu_count() or 1)} - {None}
    if physical_cores is None or len(capacities) > 1:
        return None, None
    return physical_cores, 0


def _distinct_cores(read: ReadText, cpus: frozenset[int]) -> int | None:
    """Physical cores behind those logical ones: the threads of one core list each other."""
    siblings = [read(f"{_CPU_FOLDER}/cpu{cpu}/topology/core_cpus_list") for cpu in cpus]
    return None if None in siblings else len(set(siblings))


def parse_chip(cpuinfo: str) -> str | None:
    """The first "model name" in /proc/cpuinfo; ARM kernels give none."""
    return next((value for name, value in _pairs(cpuinfo) if name == "model name" and value), None)


def parse_physical_cores(cpuinfo: str) -> int | None:
    """Distinct pairs of socket and core in /proc/cpuinfo; None where the kernel does not list them (ARM)."""
    cores, socket = set(), None
    for name, value in _pairs(cpuinfo):
        if name == "physical id":
            socket = value
        elif name == "core id":
            cores.add((socket, value))
    return len(cores) or None


def parse_memory(meminfo: str) -> int | None:
    """MemTotal of /proc/meminfo in bytes; the file counts in KiB, which it calls kB."""
    total = next((value for name, value in _pairs(meminfo) if name == "MemTotal"), "")
    return int(total.split()[0]) * 1024 if total else None


def parse_distribution(os_release: str) -> str | None:
    """PRETTY_NAME of os-release(5), whose values are quoted as in a shell."""
    for line in os_release.splitlines():
        name, _equals, value = line.partition("=")
        if name == "PRETTY_NAME":
            return " ".join(shlex.split(value)) or None
    return None


def parse_cpu_list(listed: str) -> frozenset[int]:
    """The numbers in the kernel's list format: "0-3,8" is 0, 1, 2, 3 and 8."""
    cpus: set[int] = set()
    for part in filter(None, listed.split(",")):
        first, _dash, last = part.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return frozenset(cpus)


def _pairs(content: str) -> list[tuple[str, str]]:
    """Name and value of each "name : value" line."""
    lines = [line.partition(":") for line in content.splitlines() if ":" in line]
    return [(name.strip(), value.strip()) for name, _colon, value in lines]
