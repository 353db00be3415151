"""The table of targets. The only place that knows them one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.errors import UnknownTarget
from app.i18n import N_, _

Runtime = Literal["mlx", "coreml"]
Precision = Literal["stored", "fp32", "fp16", "bf16"]


@dataclass(frozen=True)
class Target:
    """One way to run a model. `requests` is what the runtime is asked for: an MLX device or a Core ML compute unit."""

    id: str
    runtime: Runtime
    unit: str
    """The part after the dot of the shown name; translated by `shown_name`."""
    requests: str
    precisions: tuple[Precision, ...]
    """What can be asked for; the first one is the default."""
    colour: str
    """Okabe–Ito colour of this target's lanes."""
    dash: str
    """Line style beside the colour: solid, dash, dot, dashdot, longdash, dashdotdot."""

    @property
    def shown_name(self) -> str:
        """ "MLX · GPU" """
        return f"{'MLX' if self.runtime == 'mlx' else 'Core ML'} · {_(self.unit)}"


# MLX on the CPU defaults to fp32: it has no half-precision matrix product there, and fp16 is many times slower.
_MLX_GPU: tuple[Precision, ...] = ("stored", "fp32", "fp16", "bf16")
_MLX_CPU: tuple[Precision, ...] = ("fp32", "stored", "fp16", "bf16")

TARGETS: tuple[Target, ...] = (
    Target("mlx-gpu", "mlx", N_("GPU"), "gpu", _MLX_GPU, "#0072B2", "solid"),
    Target("mlx-cpu", "mlx", N_("CPU"), "cpu", _MLX_CPU, "#009E73", "dash"),
    Target("coreml-ne", "coreml", N_("Neural Engine"), "CPU_AND_NE", ("stored",), "#D55E00", "dot"),
    Target("coreml-gpu", "coreml", N_("GPU"), "CPU_AND_GPU", ("stored",), "#CC79A7", "dashdot"),
    Target("coreml-cpu", "coreml", N_("CPU"), "CPU_ONLY", ("stored",), "#E69F00", "longdash"),
    Target("coreml-all", "coreml", N_("automatic"), "ALL", ("stored",), "#56B4E9", "dashdotdot"),
)

# Why a target can be missing. Texts for the catalogue; `TargetUnavailable` translates them where they are read.
NEEDS_MACOS = N_("Core ML needs macOS")
NEEDS_MACOS_13 = N_("it needs macOS 13 or newer")
NO_NEURAL_ENGINE = N_("this Mac has no Neural Engine")
NO_CORE_ML_GPU = N_("no GPU that Core ML can use")
NO_MLX_GPU = N_("no GPU that MLX can use")


def target(target_id: str) -> Target:
    """The target with that id. Raises UnknownTarget."""
    for one in TARGETS:
        if one.id == target_id:
            return one
    raise UnknownTarget(target=target_id, known=tuple(one.id for one in TARGETS))
