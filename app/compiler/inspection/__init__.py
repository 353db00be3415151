"""What a model file holds: its inputs, operations, weights and work, and whether MLX can run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.compiler.inspection.report import Inspection

__all__ = ["inspect_model"]


def inspect_model(path: str | Path, function: str | None = None) -> Inspection:
    """Everything that `dyno inspect` says of the model at `path`; `function` names one of a multi-function package.

    A model that MLX cannot run is described all the same, with the obstacle. Raises ModelMissing, ModelUnreadable,
    UnsupportedModel (for what is no neural network).
    """
    from app.compiler.inspection.inspect import inspect

    return inspect(path, function)
