"""Core ML package -> MLX function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.compiler.facts import ModelFacts
    from app.compiler.model import CompiledModel
    from app.compiler.source import Device, Precision

__all__ = ["compile_model", "read_model_facts"]

# Imported inside the functions: `app.compiler.facts` and `.package` are of use where mlx must not be loaded, and on
# Linux OpenBLAS has to be there first.


def compile_model(
    path: str | Path,
    *,
    precision: Precision = "stored",
    function: str | None = None,
    device: Device = "cpu",
    cache_folder: str | Path | None = None,
) -> CompiledModel:
    """The model at `path`, a .mlpackage or .mlmodel, as one MLX function on one device.

    `precision` is what it computes in, "stored" the types of the file; `function` names one of a multi-function
    package. What was compiled is kept in `cache_folder` and found there again without reading the model; None keeps
    nothing. Raises ModelMissing, ModelUnreadable, ModelHasNoImageInput, UnsupportedModel, UnsupportedOps.
    """
    from app.compiler.model import load_or_compile

    return load_or_compile(path, precision, function, device, cache_folder)


def read_model_facts(path: str | Path) -> ModelFacts:
    """What the model's description says, for any kind of model; imports coremltools, not mlx.

    Raises ModelMissing, ModelUnreadable, ModelHasNoImageInput, UnsupportedModel.
    """
    from app.compiler.package import open_package
    from app.compiler.read import read_facts, read_specification

    package = open_package(path)
    return read_facts(package, read_specification(package))
