"""What this machine is."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Facts that do not change while the program runs; None where the system does not say."""

    chip: str | None
    """ "Apple M4 Pro", "Intel(R) Xeon(R) Gold 6338"."""
    model: str | None
    """ "Mac16,9"; what the maker calls the board or virtual machine on Linux."""
    performance_cores: int | None
    """Physical cores of the fast kind; all of them where there is one kind only."""
    efficiency_cores: int | None
    logical_cores: int | None
    gpu_cores: int | None
    """Of an Apple GPU; others count in units that cannot be compared."""
    neural_engine_cores: int | None
    """Only Core ML tells, and it is asked in an engine process: always None from `read_machine`."""
    memory_bytes: int | None
    """Of the machine; on Apple silicon CPU, GPU and Neural Engine share it."""
    system: str
    """ "macOS 15.1 (24B83)", "Debian GNU/Linux 12 (bookworm), Linux 6.1.0"."""


def read_machine() -> Machine:
    """The facts, asked anew: some milliseconds, on macOS with one child process. Any thread."""
    if sys.platform == "darwin":
        from app.machine import apple

        return apple.machine(apple.read_sysctl, apple.read_gpu_registry())
    if sys.platform == "linux":
        from app.machine import linux

        return linux.machine(linux.read_text)
    return Machine(
        chip=platform.processor() or None,
        model=None,
        performance_cores=None,
        efficiency_cores=None,
        logical_cores=os.cpu_count(),
        gpu_cores=None,
        neural_engine_cores=None,
        memory_bytes=None,
        system=f"{platform.system()} {platform.release()}",
    )
