"""Power, heat and load. No Mac was at hand: its answers are constructed in the documented format, not recorded."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from app.machine import conditions
from app.machine.conditions import (
    on_battery,
    parse_pmset,
    read_conditions,
    read_low_power_mode,
    read_power_supplies,
    read_thermal_state,
)

# Constructed from documentation: what `pmset -g batt` prints.
ON_MAINS = """Now drawing from 'AC Power'
 -InternalBattery-0 (id=22937699)	100%; charged; 0:00 remaining present: true
"""
ON_BATTERY = """Now drawing from 'Battery Power'
 -InternalBattery-0 (id=22937699)	81%; discharging; 6:12 remaining present: true
"""
DESKTOP = "Now drawing from 'AC Power'\n"
ON_UPS = """Now drawing from 'UPS Power'
 -Back-UPS ES 700 (id=1)	99%; discharging; 0:20 remaining present: true
"""


@pytest.mark.parametrize(
    ("printed", "expected"),
    [(ON_MAINS, False), (ON_BATTERY, True), (DESKTOP, False), (ON_UPS, True), ("", None), ("No power sources.", None)],
)
def test_pmset_says_where_power_comes_from(printed, expected):
    assert parse_pmset(printed) is expected


def test_only_the_first_line_of_pmset_counts():
    assert parse_pmset("Something new\nNow drawing from 'Battery Power'\n") is None


@pytest.mark.parametrize("failure", [FileNotFoundError("pmset"), subprocess.TimeoutExpired("pmset", 5)])
def test_a_pmset_that_cannot_be_run_reads_as_nothing(failure, monkeypatch):
    def run(*_arguments, **_options):
        raise failure

    monkeypatch.setattr(conditions.subprocess, "run", run)
    assert conditions.read_pmset() == ""


class ProcessInfo:
    """Stands in for Objective-C: answers messages to NSProcessInfo, and notes with which result they were asked for."""

    def __init__(self, **values: object) -> None:
        self.values = values
        self.asked: dict[str, object] = {}

    def process_info(self) -> int:
        return 1

    def answers(self, _receiver: int, message: str) -> bool:
        return message in self.values

    def send(self, _receiver: int, message: str, result: object, *_arguments: object) -> object:
        self.asked[message] = result
        return self.values[message]


@pytest.mark.parametrize(
    ("state", "expected"),
    [(0, "nominal"), (1, "fair"), (2, "serious"), (3, "critical"), (4, None), (-1, None), (None, None)],
)
def test_thermal_states(state, expected, monkeypatch):
    info = ProcessInfo(thermalState=state)
    monkeypatch.setattr(conditions, "objc", info)
    assert read_thermal_state() == expected
    assert info.asked == {"thermalState": ctypes.c_long}


@pytest.mark.parametrize("enabled", [True, False])
def test_low_power_mode(enabled, monkeypatch):
    monkeypatch.setattr(conditions, "objc", ProcessInfo(isLowPowerModeEnabled=enabled))
    assert read_low_power_mode() is enabled


def test_a_macos_without_low_power_mode_is_not_sent_the_message(monkeypatch):
    info = ProcessInfo()
    monkeypatch.setattr(conditions, "objc", info)
    assert read_low_power_mode() is None
    assert info.asked == {}


# --- Linux ----------------------------------------------------------------------------------------------------------

MAINS_ON = {"type": "Mains", "online": "1"}
MAINS_OFF = {"type": "Mains", "online": "0"}
USB_C_ON = {"type": "USB", "online": "1"}
DISCHARGING = {"type": "Battery", "status": "Discharging"}
FULL = {"type": "Battery", "status": "Full"}
MOUSE = {"type": "Battery", "scope": "Device", "status": "Discharging"}


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ([], None),
        ([MAINS_ON], False),
        ([MAINS_ON, FULL], False),
        ([MAINS_OFF, DISCHARGING], True),
        ([USB_C_ON, DISCHARGING], False),
        ([DISCHARGING], True),
        ([FULL], False),
        ([MOUSE], None),
        ([MAINS_ON, MOUSE], False),
        ([MAINS_OFF, {"type": "Battery", "status": "Unknown"}], None),
        ([{"type": "UPS", "status": "Discharging"}], True),
    ],
)
def test_the_kernels_power_supplies_are_understood(supplies, expected):
    assert on_battery(supplies) is expected


def test_power_supplies_are_read_as_the_kernel_shows_them(tmp_path):
    for supply, files in {
        "AC": {"type": "Mains", "online": "0"},
        "BAT0": {"type": "Battery", "status": "Full"},
    }.items():
        (tmp_path / supply).mkdir()
        for name, content in files.items():
            (tmp_path / supply / name).write_text(content + "\n")
    assert read_power_supplies(tmp_path) == [{"type": "Mains", "online": "0"}, {"type": "Battery", "status": "Full"}]
    assert read_power_supplies(tmp_path / "none") == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /sys")
def test_conditions_of_this_machine():
    now = read_conditions()
    assert now.on_battery in (True, False, None)
    assert now.thermal_state is None
    assert now.load_1min >= 0
