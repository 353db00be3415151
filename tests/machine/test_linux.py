"""What Linux machines show in /proc and /sys. Texts are shortened from real ones."""

from __future__ import annotations

import os

import pytest

from app.machine import linux

XEON = """processor	: 0
vendor_id	: GenuineIntel
model name	: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz
physical id	: 0
core id		: 0

processor	: 1
model name	: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz
physical id	: 1
core id		: 0

processor	: 2
model name	: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz
physical id	: 1
core id		: 0
"""
ARM = """processor	: 0
BogoMIPS	: 48.00
Features	: fp asimd evtstrm aes
CPU implementer	: 0x61
CPU part	: 0x032
"""
MEMORY = """MemTotal:       24684096 kB
MemFree:        22013544 kB
"""
DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
ID=debian
"""


def test_chip_and_physical_cores():
    assert linux.parse_chip(XEON) == "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
    assert linux.parse_physical_cores(XEON) == 2, "two threads of one core are one core, equal ids in two sockets two"


def test_arm_kernels_name_neither_chip_nor_cores():
    assert linux.parse_chip(ARM) is None
    assert linux.parse_physical_cores(ARM) is None


def test_memory():
    assert linux.parse_memory(MEMORY) == 24684096 * 1024
    assert linux.parse_memory("") is None


@pytest.mark.parametrize(
    ("os_release", "expected"),
    [
        (DEBIAN, "Debian GNU/Linux 12 (bookworm)"),
        ("PRETTY_NAME=Alpine\n", "Alpine"),
        ("PRETTY_NAME='Void \"Linux\"'\n", 'Void "Linux"'),
        ("ID=debian\n", None),
        ('PRETTY_NAME=""\n', None),
        ("", None),
    ],
)
def test_distribution(os_release, expected):
    assert linux.parse_distribution(os_release) == expected


@pytest.mark.parametrize(
    ("listed", "expected"), [("0-3,8", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("0,2-3", {0, 2, 3})]
)
def test_cpu_lists(listed, expected):
    assert linux.parse_cpu_list(listed) == expected


def test_one_kind_of_cores():
    assert linux.core_kinds({}.get, 16) == (16, 0)
    assert linux.core_kinds({}.get, None) == (None, None)


def test_intel_with_two_kinds_counts_cores_not_threads():
    files = {"/sys/devices/cpu_core/cpus": "0-3", "/sys/devices/cpu_atom/cpus": "4-7"}
    for cpu in range(8):
        siblings = f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}" if cpu < 4 else str(cpu)
        files[f"/sys/devices/system/cpu/cpu{cpu}/topology/core_cpus_list"] = siblings
    assert linux.core_kinds(files.get, 6) == (2, 4)


def test_cores_of_different_capacity_are_not_called_one_kind(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    files = {f"/sys/devices/system/cpu/cpu{cpu}/cpu_capacity": capacity for cpu, capacity in enumerate(("446", "1024"))}
    assert linux.core_kinds(files.get, 2) == (None, None)


def test_a_machine_that_shows_nothing():
    machine = linux.machine({}.get)
    assert (machine.chip, machine.model, machine.memory_bytes) == (None, None, None)
    assert machine.system.startswith("Linux, Linux ")


def test_a_machine_that_shows_everything():
    files = {
        "/proc/cpuinfo": XEON,
        "/proc/meminfo": MEMORY,
        "/etc/os-release": DEBIAN,
        "/sys/class/dmi/id/product_name": "PowerEdge R750",
    }
    machine = linux.machine(files.get)
    assert (machine.model, machine.performance_cores, machine.efficiency_cores) == ("PowerEdge R750", 2, 0)
    assert machine.system.startswith("Debian GNU/Linux 12 (bookworm), Linux ")


def test_files_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B\0")
    assert linux.read_text(str(tmp_path / "model")) == "Raspberry Pi 5 Model B"
    assert linux.read_text(str(tmp_path / "none")) is None
    assert linux.read_text(str(tmp_path)) is None
