"""Compiled Core ML models on disk.

Two things cost time when a model is loaded: compiling the package to a `.mlmodelc`, which is kept here, and preparing
it for the GPU or the Neural Engine, which the system keeps in a cache of its own. Reports say that the system knows a
compiled model by its path (tazz4843/whisper-rs#67), so the path here depends on nothing but the model and the versions.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import shutil
from pathlib import Path
from types import ModuleType

import psutil

log = logging.getLogger(__name__)

_SUFFIX = ".mlmodelc"
_UNFINISHED = ".unfinished-"
"""Before the number of the process that compiles. A bare number would be mistaken for the end of a macOS version."""


def compiled_path(folder: Path, digest: str, coremltools_version: str) -> Path:
    """Where the compiled form of the model with that digest belongs; it need not exist."""
    return folder / f"{digest}-{coremltools_version}-{platform.mac_ver()[0]}{_SUFFIX}"


def compile_into(coremltools: ModuleType, package: Path, destination: Path) -> None:
    """Compile `package` and put the result at `destination`, whole or not at all, whoever else does the same.

    Raises OSError when the cache cannot be written, and what coremltools raises when the model cannot be compiled.
    """
    folder = destination.parent
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    # compile_model demands the suffix, and moves its result *into* a destination that exists.
    ours = destination.with_name(f"{destination.name.removesuffix(_SUFFIX)}{_UNFINISHED}{os.getpid()}{_SUFFIX}")
    remove(ours)
    try:
        coremltools.models.utils.compile_model(str(package.absolute()), str(ours))
        try:
            os.replace(ours, destination)
        except OSError:
            if not destination.is_dir():
                raise  # else another process was faster, and its result is as good
    finally:
        remove(ours)


def remove(compiled: Path) -> None:
    """Remove a compiled model, if it is there and as far as that is possible."""
    shutil.rmtree(compiled, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed while they compiled have left."""
    for path in folder.glob(f"*{_UNFINISHED}*{_SUFFIX}"):
        pid = path.name.removesuffix(_SUFFIX).rpartition(_UNFINISHED)[2]
        with contextlib.suppress(ValueError, OverflowError):
            if not psutil.pid_exists(int(pid)):
                log.warning("removing %s, which was never finished", path)
                remove(path)
