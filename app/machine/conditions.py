"""What a measurement depends on and that may change during it: power source, power mode, heat, other load."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.machine import objc

_log = logging.getLogger(__name__)

THERMAL_STATES = ("nominal", "fair", "serious", "critical")
"""In the order of NSProcessInfoThermalState, 0 to 3."""


@dataclass(frozen=True)
class Conditions:
    """The moment's conditions; None where unknown, which is not the same as fine."""

    on_battery: bool | None
    low_power_mode: bool | None
    thermal_state: str | None
    """One of `THERMAL_STATES`; Linux has no such scale."""
    load_1min: float | None
    """Runnable processes, averaged over the last minute (getloadavg(3))."""


def read_conditions() -> Conditions:
    """The conditions now: some milliseconds, on macOS with one child process. Not for the middle of a measured run."""
    try:
        load = os.getloadavg()[0]
    except OSError:
        load = None
    if sys.platform == "darwin":
        return Conditions(parse_pmset(read_pmset()), read_low_power_mode(), read_thermal_state(), load)
    if sys.platform == "linux":
        supplies = read_power_supplies(Path("/sys/class/power_supply"))
        return Conditions(on_battery(supplies), read_platform_profile(), None, load)
    return Conditions(None, None, None, load)


# --- macOS ----------------------------------------------------------------------------------------------------------


def read_pmset() -> str:
    """What `pmset -g batt` prints; empty when it cannot be run. macOS only."""
    try:
        done = subprocess.run(["/usr/bin/pmset", "-g", "batt"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("pmset: %r", error)
        return ""
    return done.stdout


def parse_pmset(printed: str) -> bool | None:
    """Whether the first line, "Now drawing from 'AC Power'", names a battery or UPS."""
    first = printed.partition("\n")[0]
    if "'AC Power'" in first:
        return False
    return True if "'Battery Power'" in first or "'UPS Power'" in first else None


def read_low_power_mode() -> bool | None:
    """Whether the user or the battery asked for less speed; None before macOS 12. macOS only."""
    info = objc.process_info()
    if not objc.answers(info, "isLowPowerModeEnabled"):
        return None
    return bool(objc.send(info, "isLowPowerModeEnabled", ctypes.c_bool))


def read_thermal_state() -> str | None:
    """How much the system slows down because of heat; None for a state that is not known here. macOS only."""
    state = objc.send(objc.process_info(), "thermalState", ctypes.c_long)
    return THERMAL_STATES[state] if state in range(len(THERMAL_STATES)) else None


# --- Linux ----------------------------------------------------------------------------------------------------------


def read_power_supplies(folder: Path) -> list[dict[str, str]]:
    """Type, scope, state of each power supply that the kernel shows (Documentation/ABI/testing/sysfs-class-power)."""
    names = ("type", "scope", "online", "status")
    supplies = []
    for supply in sorted(folder.glob("*")):
        found = {name: _first_line(supply / name) for name in names}
        supplies.append({name: value for name, value in found.items() if value is not None})
    return supplies


def on_battery(supplies: list[dict[str, str]]) -> bool | None:
    """Whether the machine runs from a battery; None where the kernel shows neither mains nor battery."""
    machines = [supply for supply in supplies if supply.get("scope") != "Device"]  # not the mouse's battery
    if any(supply.get("type") in ("Mains", "USB") and supply.get("online") == "1" for supply in machines):
        return False
    batteries = [supply.get("status") for supply in machines if supply.get("type") in ("Battery", "UPS")]
    if "Discharging" in batteries:
        return True
    return False if any(status in ("Charging", "Full", "Not charging") for status in batteries) else None


def read_platform_profile() -> bool | None:
    """Whether the firmware was asked to save power: the nearest thing that Linux has to Low Power Mode."""
    profile = _first_line(Path("/sys/firmware/acpi/platform_profile"))
    return None if profile is None else profile in ("low-power", "quiet", "cool")


def _first_line(path: Path) -> str | None:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return None
