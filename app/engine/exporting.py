"""A model written as an .mlxfn, from this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.on_mlx import on_mlx
from app.engine.targets import Precision

if TYPE_CHECKING:
    from app.compiler.model import Port


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
    with on_mlx(target_id, path) as device:
        from app.compiler import compile_model

        model = compile_model(path, precision=precision, function=function, device=device)
        model.export(file, batch, overwrite=overwrite)
    return Exported(file, batch, model.inputs, model.outputs)
