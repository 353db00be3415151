"""What this very machine says of itself."""

from __future__ import annotations

import os
import sys

import pytest

from app.machine.facts import read_machine


def test_this_machine_answers_with_plausible_facts():
    machine = read_machine()
    assert machine.logical_cores == os.cpu_count()
    assert machine.memory_bytes is None or machine.memory_bytes > 256 << 20
    assert machine.system
    for cores in (machine.performance_cores, machine.efficiency_cores):
        assert cores is None or 0 <= cores <= machine.logical_cores


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_on_linux_memory_and_system_are_always_known():
    machine = read_machine()
    assert machine.memory_bytes is not None
    assert "Linux" in machine.system
    assert machine.gpu_cores is None


@pytest.mark.skipif(sys.platform != "darwin", reason="reads sysctl")
def test_on_macos_chip_and_memory_are_always_known():
    machine = read_machine()
    assert machine.chip
    assert machine.memory_bytes is not None
    assert machine.system.startswith("macOS ")
