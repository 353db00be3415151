"""Package -> protobuf specification -> MIL program, as coremltools holds it; legalise.py makes it ours.

coremltools is imported inside the functions: it takes half a second, and a model that comes from the cache needs none
of it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from app.compiler.network import mil_function
from app.compiler.reading.description import function_name
from app.compiler.reading.limits import refuse_declared, refusing_inferred
from app.compiler.reading.package import Package
from app.compiler.reading.pipeline import NETWORKS, PIPELINES
from app.errors import ModelError, ModelUnreadable, UnsupportedModel
from app.i18n import N_


def read_specification(package: Package) -> Any:
    """The `Model` message of the package. Raises ModelUnreadable, UnsupportedModel."""
    with _quiet():
        import coremltools
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError

    specification = Model_pb2.Model()
    try:
        specification.ParseFromString(package.specification.read_bytes())
    except DecodeError as error:
        raise ModelUnreadable(model=package.name, cause=N_("its description is damaged")) from error
    kind = specification.WhichOneof("Type")
    newest = max(v for n, v in vars(coremltools).items() if n.startswith("_SPECIFICATION_VERSION_IOS"))
    if specification.specificationVersion > newest:
        raise ModelUnreadable(model=package.name, cause=N_("its format is newer than this program knows"))
    if kind is None or specification.specificationVersion < 1:
        raise ModelUnreadable(model=package.name, cause=N_("it holds no model"))
    if kind not in NETWORKS + PIPELINES:
        raise UnsupportedModel(
            model=package.name, cause=N_("it is no neural network but of the kind {kind}"), details={"kind": kind}
        )
    return specification


def read_program(package: Package, specification: Any, function: str | None) -> Any:
    """One network as coremltools' MIL function: its inputs are named as the description names them.

    `specification` is the package's own or that of one stage of its pipeline; `function` names one of an ML Program,
    None takes the default one. Raises ModelUnreadable, UnsupportedModel, UnsupportedOps.
    """
    if specification.WhichOneof("Type") != "mlProgram":
        with refusing_inferred(package.name):
            return mil_function(specification, package.name)
    name = function_name(package.name, specification, function)
    weights = _weights_folder(package, specification.mlProgram.functions[name])
    refuse_declared(specification.mlProgram.functions[name], package.name)
    with _quiet():
        from coremltools.converters.mil.frontend.milproto.load import load_mil_proto
        from coremltools.proto import MIL_pb2

    # The loader reads every function of a program; the others are left away.
    chosen = MIL_pb2.Program(version=specification.mlProgram.version)
    chosen.functions[name].CopyFrom(specification.mlProgram.functions[name])
    version = max(specification.specificationVersion, 6)
    try:
        with refusing_inferred(package.name):
            return load_mil_proto(chosen, version, str(weights)).functions[name]
    except ModelError:
        raise
    except Exception as error:
        # The loader raises whatever comes: RuntimeError and ValueError from the weight file's reader, AssertionError on
        # a type that does not fit, KeyError on a name that nothing defines. It means that the file contradicts itself.
        raise ModelUnreadable(model=package.name, cause=_plain(error)) from error


def operation_kinds(specification: Any, function: str) -> set[str]:
    """The op types of one function, nested blocks included, straight from the file."""
    found: set[str] = set()

    def walk(block: Any) -> None:
        for operation in block.operations:
            found.add(operation.type)
            for inner in operation.blocks:
                walk(inner)

    for block in _blocks(specification.mlProgram.functions[function]):
        walk(block)
    return found


def _blocks(function: Any) -> list[Any]:
    """The block of the function's own op set, which is the one that runs."""
    return [block for opset, block in function.block_specializations.items() if opset == function.opset]


def _weights_folder(package: Package, function: Any) -> Path:
    """The folder of the function's weight files, all of which are there. Raises ModelUnreadable, UnsupportedModel.

    A file is named as "@model_path/weights/weight.bin"; coremltools' loader looks only at the last part, so all have to
    lie in one folder.
    """
    files = {PurePosixPath(name.removeprefix("@model_path/")) for name in _weight_files(_blocks(function))}
    folders = {file.parent for file in files}
    if any(file.is_absolute() or ".." in file.parts for file in files):
        raise ModelUnreadable(model=package.name, cause=N_("it points outside the package for its weights"))
    if len(folders) > 1:
        raise UnsupportedModel(model=package.name, cause=N_("its weights lie in several folders"))
    folder = package.specification.parent.joinpath(*folders)
    if not all((folder / file.name).is_file() for file in files):
        raise ModelUnreadable(model=package.name, cause=N_("its weights are missing; it was probably copied in part"))
    return folder


def _weight_files(blocks: Iterable[Any]) -> set[str]:
    """The names of the weight files that the operations read."""
    found: set[str] = set()
    for block in blocks:
        for operation in block.operations:
            values = [*operation.attributes.values()]
            values += [one.value for argument in operation.inputs.values() for one in argument.arguments]
            found |= {v.blobFileValue.fileName for v in values if v.HasField("blobFileValue")}
            found |= _weight_files(operation.blocks)
    return found


_WEIGHT_FILE_SIGNS = ("index out of bounds", "sentinel", "mmap", "Storage Reader")
"""What coremltools' reader of weight files says when one is cut short, empty, overwritten or pointed beyond."""


def _plain(error: Exception) -> str:
    """One short line for a person."""
    text = str(error).strip()
    if any(sign in text for sign in _WEIGHT_FILE_SIGNS):
        return N_("its weights are cut short or damaged")
    return f"{type(error).__name__}: {text.splitlines()[0][:200] if text else ''}".rstrip(": ")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence coremltools' import, which warns once for every part of itself that only exists on macOS."""
    logger = logging.getLogger("coremltools")
    before, logger.level = logger.level, logging.ERROR
    try:
        yield
    finally:
        logger.level = before
