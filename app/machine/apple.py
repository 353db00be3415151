"""A Mac's facts: from the kernel's table of values (sysctl) and the registry of devices (ioreg).

Readers and their interpretation are apart, so that what other Macs answer can be tested anywhere. In a virtual machine
the kinds of cores and the GPU's entry may be absent.
"""

from __future__ import annotations

import ctypes
import logging
import plistlib
import subprocess
from collections.abc import Callable

from app.machine.facts import Machine

ReadSysctl = Callable[[str], bytes | None]

_log = logging.getLogger(__name__)


def read_sysctl(name: str) -> bytes | None:
    """The raw value of a kernel name; None when there is no such name. macOS only."""
    libc = ctypes.CDLL(None)
    ask = libc.sysctlbyname
    ask.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.c_void_p, ctypes.c_size_t]
    ask.restype = ctypes.c_int
    size = ctypes.c_size_t(0)
    if ask(name.encode(), None, ctypes.byref(size), None, 0) != 0:
        return None
    value = ctypes.create_string_buffer(size.value)
    if ask(name.encode(), value, ctypes.byref(size), None, 0) != 0:
        return None
    return value.raw[: size.value]


def read_gpu_registry() -> bytes:
    """The GPU's registry entry as an XML property list; empty when there is none or it cannot be read. macOS only."""
    command = ["/usr/sbin/ioreg", "-rc", "AGXAccelerator", "-d", "1", "-a"]
    try:
        return subprocess.run(command, capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("ioreg: %r", error)
        return b""


def machine(read: ReadSysctl, gpu_registry: bytes) -> Machine:
    """The facts in what the readers return."""
    performance, efficiency = core_kinds(read)
    return Machine(
        chip=text(read("machdep.cpu.brand_string")),
        model=text(read("hw.model")),
        performance_cores=performance,
        efficiency_cores=efficiency,
        logical_cores=number(read("hw.logicalcpu")),
        gpu_cores=parse_gpu_cores(gpu_registry),
        neural_engine_cores=None,
        memory_bytes=number(read("hw.memsize")),
        system=_system(read),
    )


def core_kinds(read: ReadSysctl) -> tuple[int | None, int | None]:
    """Physical cores that are no efficiency cores, and those that are.

    Level 0 is the fastest. Newer chips may have other kinds than two, or other names: the name decides where there is
    one, else level 0 counts as fast and all others as efficient.
    """
    levels = number(read("hw.nperflevels"))
    if not levels:
        return None, None
    fast = efficient = 0
    for level in range(levels):
        cores = number(read(f"hw.perflevel{level}.physicalcpu"))
        if cores is None:
            return None, None
        name = text(read(f"hw.perflevel{level}.name"))
        if name == "Efficiency" or (name is None and level > 0):
            efficient += cores
        else:
            fast += cores
    return fast, efficient


def _system(read: ReadSysctl) -> str:
    version, build = text(read("kern.osproductversion")), text(read("kern.osversion"))
    named = f"macOS {version}" if version else "macOS"
    named += f" ({build})" if build else ""
    return f"{named}, under Rosetta" if number(read("sysctl.proc_translated")) == 1 else named


def number(raw: bytes | None) -> int | None:
    """The integer in a sysctl value of 4 or 8 bytes."""
    return int.from_bytes(raw, "little") if raw is not None and len(raw) in (4, 8) else None


def text(raw: bytes | None) -> str | None:
    """The characters in a sysctl value, which a zero byte ends; None for none."""
    return raw.split(b"\0")[0].decode("utf-8", "replace") or None if raw is not None else None


def parse_gpu_cores(registry: bytes) -> int | None:
    """`gpu-core-count` of the first GPU in the property list that ioreg prints; empty when no GPU is listed."""
    if not registry.strip():
        return None
    try:
        entries = plistlib.loads(registry)
    except Exception as error:  # plistlib raises what the XML parser or a conversion raised
        _log.warning("ioreg printed no property list: %r", error)
        return None
    counts = [entry.get("gpu-core-count") for entry in entries if isinstance(entry, dict)]
    return next((count for count in counts if isinstance(count, int)), None)
