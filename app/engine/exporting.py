"""A model written as an .mlxfn, from this process."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.targets import Precision, target
from app.errors import EngineRefused, TargetUnavailable
from app.i18n import N_
from app.machine.blas import load_openblas

if TYPE_CHECKING:
    from app.compiler.model import Port

ONLY_MLX = N_("only MLX runs .mlxfn files")


@dataclass(frozen=True)
class Exported:
    """What the file takes and gives, by position. Shapes are those of one image; the file's batch multiplies the first
    axis."""

    file: Path
    batch: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def export(
    path: Path,
    file: Path,
    target_id: str,
    precision: Precision,
    *,
    function: str | None = None,
    batch: int = 1,
    overwrite: bool = False,
) -> Exported:
    """Write the model at `path`, lowered for an MLX target, to `file`.

    Raises TargetUnavailable, EngineRefused, StorageError, and what compile_model raises.
    """
    wanted = target(target_id)
    if wanted.runtime != "mlx":
        raise TargetUnavailable(target=wanted.shown_name, reason=ONLY_MLX)
    on_gpu = wanted.requests == "gpu"
    if sys.platform == "linux" and not on_gpu:
        load_openblas()
    from app.compiler import compile_model

    try:
        model = compile_model(path, precision=precision, function=function, device="gpu" if on_gpu else "cpu")
        model.export(file, batch, overwrite=overwrite)
    except (RuntimeError, ValueError) as error:  # as MLX raises them
        cause = str(error).strip().splitlines()[:1] or [repr(error)]
        raise EngineRefused(target=wanted.shown_name, model=path.name, cause=cause[0]) from error
    return Exported(file, batch, model.inputs, model.outputs)
