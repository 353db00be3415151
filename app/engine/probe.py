"""Which targets this machine has, asked of child processes: neither mlx nor coremltools is imported here."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import msgspec

from app.engine.child import child_environment, describe_exit, module_command
from app.engine.targets import (
    NEEDS_MACOS,
    NEEDS_MACOS_13,
    NO_CORE_ML_GPU,
    NO_MLX_GPU,
    NO_NEURAL_ENGINE,
    TARGETS,
    Runtime,
    Target,
)
from app.i18n import N_
from app.paths import cache_folder

log = logging.getLogger(__name__)

Backend = Literal["metal", "cuda", "cpu"]

_TIMEOUT_S = 60.0
"""For one child. The first use of a CUDA card compiles kernels; Core ML asks services that may have to start."""

CANNOT_START = N_("its runtime cannot be loaded")


@dataclass(frozen=True)
class TargetState:
    """Whether a target can be used here. `reason` says why not (an N_ text), `detail` names the device or the cause."""

    target: Target
    available: bool
    reason: str | None
    detail: str | None


class MlxDevices(msgspec.Struct, frozen=True):
    """What MLX found. `error`: MLX cannot be used at all; `gpu_error`: there is a GPU, but it does not work."""

    gpu: str | None = None
    backend: Backend | None = None
    error: str | None = None
    gpu_error: str | None = None


class CoremlDevices(msgspec.Struct, frozen=True):
    """What Core ML found."""

    gpu: bool = False
    neural_engine: bool = False
    neural_engine_cores: int | None = None
    error: str | None = None


class Probe(msgspec.Struct, frozen=True):
    """Everything that was found out. `coreml` is None where the system is no macOS."""

    mlx: MlxDevices
    coreml: CoremlDevices | None

    def states(self) -> list[TargetState]:
        """One state a target, in the order of the table."""
        return [self._state(one) for one in TARGETS]

    def _state(self, target: Target) -> TargetState:
        reason, detail = self._mlx(target) if target.runtime == "mlx" else self._coreml(target)
        return TargetState(target, reason is None, reason, detail)

    def _mlx(self, target: Target) -> tuple[str | None, str | None]:
        if self.mlx.error is not None:
            return CANNOT_START, self.mlx.error
        if target.requests == "cpu":
            return None, None
        return (None, self.mlx.gpu) if self.mlx.gpu is not None else (NO_MLX_GPU, self.mlx.gpu_error)

    def _coreml(self, target: Target) -> tuple[str | None, str | None]:
        found = self.coreml
        if found is None:
            return NEEDS_MACOS, None
        if found.error is not None:
            return CANNOT_START, found.error
        if target.requests == "CPU_AND_GPU" and not found.gpu:
            return NO_CORE_ML_GPU, None
        if target.requests == "CPU_AND_NE":
            if not found.neural_engine:
                return NO_NEURAL_ENGINE, None
            if _macos_version() < (13,):
                return NEEDS_MACOS_13, None
            return None, f"{found.neural_engine_cores} cores" if found.neural_engine_cores else None
        return None, None


def probe(*, fresh: bool = False) -> list[TargetState]:
    """The state of every target, in the order of the table. See `probe_machine`."""
    return probe_machine(fresh=fresh).states()


def probe_machine(*, fresh: bool = False) -> Probe:
    """What the runtimes find on this machine; at most a minute, about a second at most when nothing is wrong.

    The answer is kept for the time until the machine is started again or a version changes; `fresh` asks again.
    """
    page = cache_folder("probe.json")
    key = _machine_key()
    if not fresh and (kept := _read(page, key)) is not None:
        return kept
    children = {"mlx": _Child("mlx")} | ({"coreml": _Child("coreml")} if sys.platform == "darwin" else {})
    answers = {name: child.answer() for name, child in children.items()}
    found = Probe(
        mlx=msgspec.convert(answers["mlx"], MlxDevices),
        coreml=msgspec.convert(answers["coreml"], CoremlDevices) if "coreml" in answers else None,
    )
    if all(child.ended_well for child in children.values()):
        _write(page, key, found)
    return found


def versions() -> dict[str, str | None]:
    """Installed versions of mlx, of the package behind it, and of coremltools; None for what is not installed."""
    return {name: _version(name) for name in ("mlx", *_MLX_BACKENDS, "coremltools")}


_MLX_BACKENDS = ("mlx-metal", "mlx-cuda-12", "mlx-cuda-13", "mlx-cpu")


class _Child:
    """One probing process, started at once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.ended_well = False
        reading, writing = os.pipe()
        self._answer = os.fdopen(reading, "rb")
        try:
            self._process = subprocess.Popen(
                [*module_command("app.engine.probe_child"), runtime, "--fd", str(writing)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=child_environment(),
                pass_fds=(writing,),
                process_group=0,
            )
        except OSError:
            self._answer.close()
            raise
        finally:
            os.close(writing)

    def answer(self) -> dict[str, object]:
        """What it found. When it did not come to its end: what it had found by then, and how it ended."""
        with self._answer, self._process:
            try:
                _, errors = self._process.communicate(timeout=_TIMEOUT_S)
                how = describe_exit(self._process.returncode)
            except subprocess.TimeoutExpired as error:
                self._process.kill()
                how, errors = f"no answer within {_TIMEOUT_S:.0f} s", error.stderr or b""
            lines = self._answer.read().splitlines()
        answer: dict[str, object] = msgspec.json.decode(lines[-1]) if lines else {}
        self.ended_well = self._process.returncode == 0
        if not self.ended_well:
            log.warning("probe of %s: %s, %s", self._runtime, how, errors.decode("utf-8", "replace").strip())
            answer["gpu_error" if lines else "error"] = how
        return answer


class _Page(msgspec.Struct):
    """The kept answer, and what it depends on."""

    key: dict[str, str | None]
    found: Probe


def _machine_key() -> dict[str, str | None]:
    """Everything that could change the answer, as far as that can be seen without asking."""
    cards = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    return versions() | {
        "system": f"{platform.platform()} {platform.mac_ver()[0]}",
        "python": sys.version,
        "boot": _boot_identity(),
        "cards": " ".join([*cards, os.environ.get("CUDA_VISIBLE_DEVICES", "")]),
    }


def _boot_identity() -> str | None:
    """Something that changes with each start of the machine; None when the system does not tell."""
    try:
        if sys.platform == "linux":
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, timeout=5, check=True
        )
        return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _read(page: Path, key: dict[str, str | None]) -> Probe | None:
    try:
        kept = msgspec.json.decode(page.read_bytes(), type=_Page)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept.found if kept.key == key else None


def _write(page: Path, key: dict[str, str | None], found: Probe) -> None:
    temporary = page.with_name(f"{page.name}.{os.getpid()}")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(_Page(key=key, found=found)))
        os.replace(temporary, page)
    except OSError as error:
        log.warning("%s is not kept: %s", page, error)
        with contextlib.suppress(OSError):
            temporary.unlink()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _macos_version() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.mac_ver()[0].split(".") if part.isdigit())
