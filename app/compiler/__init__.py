"""Core ML package -> MLX function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.compiler.devices import Device, Precision
    from app.compiler.facts import ModelFacts
    from app.compiler.model import CompiledModel

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
    accept: Callable[[ModelFacts], object] = lambda facts: None,
) -> CompiledModel:
    """The model at `path`, a .mlpackage or .mlmodel, as one MLX function on one device.

    `precision` is what it computes in, "stored" the types of the file; `function` names one of a multi-function
    package, None its default one. The device is the CPU unless asked otherwise, because that one is everywhere. What
    was compiled is kept in `cache_folder` and found there again without reading the model; None keeps nothing. `accept`
    is given the facts before any work, so that it can raise what it has against the model.

    On Linux MLX is fast on the CPU only with OpenBLAS, which has to be there before mlx is imported: import mlx after
    the first call, or call `app.machine.blas.load_openblas` first. Raises ModelMissing, ModelUnreadable,
    UnsupportedModel, UnsupportedOps, and what `accept` raises.
    """
    import sys
    from typing import get_args

    from app.compiler.reading.package import open_package
    from app.errors import UnsupportedModel
    from app.i18n import N_
    from app.machine.blas import load_openblas

    package = open_package(path)
    if sys.platform == "linux" and device == "cpu" and "mlx.core" not in sys.modules:
        load_openblas()
    import mlx.core as mx

    from app.compiler.devices import Device, Precision
    from app.compiler.model import CompiledModel
    from app.compiler.source import Source

    for asked, known in ((precision, get_args(Precision)), (device, get_args(Device))):
        if asked not in known:
            cause, details = N_("there is no “{asked}”, only: {known}"), {"asked": asked, "known": known}
            raise UnsupportedModel(model=package.name, cause=cause, details=details)
    if device == "gpu" and not mx.is_available(mx.gpu):
        raise UnsupportedModel(model=package.name, cause=N_("MLX has no GPU on this machine"))
    folder = None if cache_folder is None else Path(cache_folder)
    return CompiledModel(Source(package, precision, function, device, folder, accept))


def read_model_facts(path: str | Path, function: str | None = None) -> ModelFacts:
    """What the model's description says, for any kind of network; imports coremltools, not mlx.

    Raises ModelMissing, ModelUnreadable, UnsupportedModel.
    """
    from app.compiler.reading.description import read_facts
    from app.compiler.reading.package import open_package
    from app.compiler.reading.read import read_specification

    package = open_package(path)
    return read_facts(package, read_specification(package), function)
