"""What Macs answer. No Mac was at hand: the answers are constructed in the documented format, not recorded."""

from __future__ import annotations

import subprocess

import pytest

from app.machine import apple
from app.machine.facts import Machine


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


# Constructed from documentation: sysctl names and C types of a MacBook Pro with an M4 Pro.
M4_PRO = {
    "machdep.cpu.brand_string": b"Apple M4 Pro\0",
    "hw.model": b"Mac16,8\0",
    "hw.nperflevels": u32(2),
    "hw.perflevel0.physicalcpu": u32(10),
    "hw.perflevel0.name": b"Performance\0",
    "hw.perflevel1.physicalcpu": u32(4),
    "hw.perflevel1.name": b"Efficiency\0",
    "hw.logicalcpu": u32(14),
    "hw.memsize": u64(48 << 30),
    "kern.osproductversion": b"15.1\0",
    "kern.osversion": b"24B83\0",
    "sysctl.proc_translated": u32(0),
}

# Constructed from documentation: what `ioreg -rc AGXAccelerator -d 1 -a` prints, shortened.
GPU_REGISTRY = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<array>
	<dict>
		<key>IOClass</key>
		<string>AGXAcceleratorG16X</string>
		<key>IOObjectClass</key>
		<string>AGXAcceleratorG16X</string>
		<key>gpu-core-count</key>
		<integer>20</integer>
		<key>model</key>
		<string>Apple M4 Pro</string>
	</dict>
</array>
</plist>
"""


def test_a_mac_is_described():
    assert apple.machine(M4_PRO.get, GPU_REGISTRY) == Machine(
        chip="Apple M4 Pro",
        model="Mac16,8",
        performance_cores=10,
        efficiency_cores=4,
        logical_cores=14,
        gpu_cores=20,
        neural_engine_cores=None,
        memory_bytes=48 << 30,
        system="macOS 15.1 (24B83)",
    )


def test_a_virtual_machine_without_kinds_of_cores_and_gpu():
    virtual = {name: raw for name, raw in M4_PRO.items() if "perflevel" not in name}
    machine = apple.machine({**virtual, "machdep.cpu.brand_string": b"Apple processor\0"}.get, b"")
    assert (machine.performance_cores, machine.efficiency_cores, machine.gpu_cores) == (None, None, None)
    assert machine.logical_cores == 14


def test_a_mac_that_answers_nothing():
    machine = apple.machine({}.get, b"")
    assert (machine.chip, machine.memory_bytes, machine.logical_cores) == (None, None, None)
    assert machine.system == "macOS"


def test_rosetta_is_mentioned():
    assert apple.machine({**M4_PRO, "sysctl.proc_translated": u32(1)}.get, b"").system == (
        "macOS 15.1 (24B83), under Rosetta"
    )


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([(b"Performance\0", 4), (b"Efficiency\0", 4)], (4, 4)),
        ([(b"Super\0", 6), (b"Performance\0", 12)], (18, 0)),
        ([(b"Super\0", 2), (b"Performance\0", 8), (b"Efficiency\0", 4)], (10, 4)),
        ([(None, 8), (None, 2)], (8, 2)),
        ([(b"Standard\0", 8)], (8, 0)),
        ([(b"Performance\0", 4), (b"Efficiency\0", None)], (None, None)),
    ],
)
def test_kinds_of_cores_are_told_apart_by_name(levels, expected):
    answers = {"hw.nperflevels": u32(len(levels))}
    for level, (name, cores) in enumerate(levels):
        answers[f"hw.perflevel{level}.name"] = name
        answers[f"hw.perflevel{level}.physicalcpu"] = None if cores is None else u32(cores)
    assert apple.core_kinds(answers.get) == expected


def test_values_of_other_sizes_are_no_numbers():
    assert apple.number(u32(7)) == 7
    assert apple.number(u64(7 << 33)) == 7 << 33
    assert apple.number(None) is None
    assert apple.number(b"") is None
    assert apple.number(b"Apple") is None


def test_text_ends_at_the_zero_byte():
    assert apple.text(b"Mac16,8\0rest") == "Mac16,8"
    assert apple.text(b"\0") is None
    assert apple.text(None) is None


@pytest.mark.parametrize(
    "registry",
    [
        b"",
        b"\n",
        b"ioreg: error: can't obtain properties.\n",
        GPU_REGISTRY[:300],
        GPU_REGISTRY.replace(b"gpu-core-count", b"other"),
        GPU_REGISTRY.replace(b"<integer>20</integer>", b"<string>20</string>"),
        b'<plist version="1.0"><array/></plist>',
    ],
)
def test_a_registry_without_a_gpu_gives_none(registry):
    assert apple.parse_gpu_cores(registry) is None


def test_a_second_gpu_entry_may_hold_the_count():
    empty = b"<dict><key>IOClass</key><string>AGXAccelerator</string></dict>"
    assert apple.parse_gpu_cores(GPU_REGISTRY.replace(b"<array>", b"<array>" + empty)) == 20


@pytest.mark.parametrize("failure", [FileNotFoundError("ioreg"), subprocess.TimeoutExpired("ioreg", 5)])
def test_an_ioreg_that_cannot_be_run_reads_as_nothing(failure, monkeypatch):
    def run(*_arguments, **_options):
        raise failure

    monkeypatch.setattr(apple.subprocess, "run", run)
    assert apple.read_gpu_registry() == b""
