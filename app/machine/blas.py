"""A fast BLAS for MLX on Linux.

The CPU wheel of MLX is linked to a reference BLAS that it brings along. Its functions are looked up by name, so an
OpenBLAS that was loaded before, with its names visible to everything (RTLD_GLOBAL), is used instead: several times to
many times faster. On macOS MLX uses Accelerate and nothing is to be done.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from app.i18n import N_

# Fedora's plain libopenblas uses one thread only; the "p" one is the threaded library there. Debian has the plain name.
_NAMES = ("libopenblasp.so.0", "libopenblas.so.0", "libopenblas.so")
_FOLDERS = ("", "/usr/local/lib", "/opt/OpenBLAS/lib", "/usr/lib64", "/usr/lib")
"""Where to look beside where the loader looks by itself: that is the empty first one."""

_KERNELS = (
    ("SkylakeX", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("Haswell", {"avx2", "fma"}),
)
"""Names of OpenBLAS's kernels, best first, and the processor flags of Linux that they need. OpenBLAS chooses by the
processor's model number, and takes one that is younger than itself for one of 2004: 0.3.21 on a Xeon of model 207 chose
"Prescott", and a 1024³ float32 product took 70 ms with that, 14 ms with SkylakeX."""

NOT_HERE = N_("only MLX on Linux needs it")
NOT_FOUND = N_("OpenBLAS is not installed, so that MLX computes with a slower library of its own")
TOO_LATE = N_("MLX was loaded before it")
NOT_IN_USE = N_("another BLAS was loaded before it")


MOST_LANES = 8
"""Streams among which MLX's work is shared at most; parts of a tensor become small beyond."""


@dataclass(frozen=True)
class Blas:
    """The library that MLX on the CPU computes with."""

    name: str
    version: str
    threads: int
    """How many it will use; the variable OPENBLAS_NUM_THREADS sets it before the first load."""
    path: str


_lock = threading.Lock()
_loaded: Blas | None = None
_reason: str | None = None


def load_openblas() -> Blas | None:
    """Load OpenBLAS for MLX, before mlx is imported; the same answer each time. None: `why_no_openblas` says why."""
    global _loaded, _reason
    with _lock:
        if _loaded is None and _reason is None:
            answer = _load()
            _loaded, _reason = (answer, None) if isinstance(answer, Blas) else (None, answer)
        return _loaded


def why_no_openblas() -> str | None:
    """Why `load_openblas` gave None, a sentence part to be translated; None when it gave a library."""
    load_openblas()
    return _reason


def computing_threads() -> int:
    """On how many threads at once MLX should compute on the CPU.

    One on macOS: Accelerate spreads itself. Elsewhere what OpenBLAS was given, for it is the same thing to the user, or
    all processors that this process may use where MLX has only its own single-threaded library.
    """
    if sys.platform != "linux":
        return 1
    blas = load_openblas()
    return min(blas.threads if blas else len(os.sched_getaffinity(0)), MOST_LANES)


def one_thread_each() -> None:
    """Let OpenBLAS compute each product on the thread that asks for it: others work on other parts meanwhile."""
    if blas := load_openblas():
        ctypes.CDLL(blas.path).openblas_set_num_threads(1)


def parse_config(config: str) -> tuple[str, str]:
    """Name and version in what `openblas_get_config` answers: "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"."""
    name, version, *_options = [*config.split(), "", ""]
    return name or "OpenBLAS", version


def kernels_for(flags: set[str]) -> str | None:
    """The best kernels for a processor with these flags; None when OpenBLAS should choose, for others and old ones."""
    return next((name for name, needed in _KERNELS if needed <= flags), None)


def _processor_flags() -> set[str]:
    """The flags of the first processor, as Linux names them; empty on ARM, which lists "Features" instead."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def _load() -> Blas | str:
    if sys.platform != "linux":
        return NOT_HERE
    if "mlx.core" in sys.modules:
        return TOO_LATE
    if kernels := kernels_for(_processor_flags()):
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)
    library = _open_first()
    if library is None:
        return NOT_FOUND
    library.openblas_get_config.restype = ctypes.c_char_p
    name, version = parse_config(library.openblas_get_config().decode("ascii", "replace"))
    path = _owner(library.openblas_get_config)
    if _owner(getattr(ctypes.CDLL(None), "cblas_sgemm", None)) != path:
        return NOT_IN_USE
    return Blas(name, version, int(library.openblas_get_num_threads()), path)


def _open_first() -> ctypes.CDLL | None:
    for name in _NAMES:
        for folder in _FOLDERS:
            try:
                library = ctypes.CDLL(f"{folder}/{name}" if folder else name, mode=ctypes.RTLD_GLOBAL)
            except OSError:
                continue
            if hasattr(library, "openblas_get_config") and hasattr(library, "cblas_sgemm"):
                return library
    return None


class _SymbolInfo(ctypes.Structure):
    """Dl_info of dladdr(3)."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _owner(function: object) -> str:
    """Path of the library that holds a C function, links resolved; empty when there is none."""
    info = _SymbolInfo()
    if function is None or not ctypes.CDLL(None).dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(info)):  # type: ignore[arg-type]
        return ""
    return str(Path(info.file.decode("utf-8", "surrogateescape")).resolve())
