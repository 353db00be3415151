"""The memory of one process, as its system counts what is its own.

macOS: `phys_footprint`, what Activity Monitor calls Memory; it includes Metal buffers, which the resident size does not
do reliably. Linux: PSS, in which a page shared by n processes counts 1/n for each.
"""

from __future__ import annotations

import ctypes
import os
import sys

# <sys/resource.h>: RUSAGE_INFO_V4 is a uuid of 16 bytes, then counters of 64 bits.
_RUSAGE_INFO_V4 = 4
_RUSAGE_COUNTERS = 64
"""More than the structure holds, in case the system writes a longer one."""
_UUID_COUNTERS = 2
_PHYS_FOOTPRINT = _UUID_COUNTERS + 7


def footprint_bytes(pid: int | None = None) -> int | None:
    """Memory of that process, by default this one; None when it is gone, is another user's, or nothing counts it."""
    pid = os.getpid() if pid is None else pid
    if sys.platform == "darwin":
        return read_phys_footprint(pid)
    if sys.platform == "linux":
        return parse_pss(read_smaps(pid))
    return None


def read_phys_footprint(pid: int) -> int | None:
    """`ri_phys_footprint` of a process, which must be ours; None when it cannot be had. macOS only."""
    library = ctypes.CDLL("/usr/lib/libSystem.B.dylib")
    library.proc_pid_rusage.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    library.proc_pid_rusage.restype = ctypes.c_int
    counters = (ctypes.c_uint64 * _RUSAGE_COUNTERS)()
    if library.proc_pid_rusage(pid, _RUSAGE_INFO_V4, counters) != 0:
        return None
    return int(counters[_PHYS_FOOTPRINT])


def read_smaps(pid: int) -> str:
    """The kernel's sums over a process's mappings, or the list of all where it does not sum; empty when it is gone."""
    for name in ("smaps_rollup", "smaps"):
        try:
            with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as stream:
                return stream.read()
        except FileNotFoundError:
            continue
        except OSError:  # a zombie (ESRCH), another user's process
            return ""
    return ""


def parse_pss(smaps: str) -> int | None:
    """The sum of the Pss lines in bytes; the file counts in KiB, which it calls kB. None without such a line."""
    counted = [int(line.split()[1]) for line in smaps.splitlines() if line.startswith("Pss:")]
    return sum(counted) * 1024 if counted else None
