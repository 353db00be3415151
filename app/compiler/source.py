"""Where the functions of a compiled model come from: the cache, or the package."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx

from app.compiler import cache
from app.compiler.build import Function, build
from app.compiler.cache import Key, Page
from app.compiler.legalise import legalise
from app.compiler.ops.registry import TABLE, NotCovered
from app.compiler.package import Package
from app.compiler.passes import passes_for
from app.compiler.program import Program
from app.compiler.read import function_name, operation_kinds, read_facts, read_program, read_specification
from app.errors import UnsupportedModel, UnsupportedOps
from app.i18n import N_

Device = Literal["cpu", "gpu"]
Precision = Literal["stored", "fp32", "fp16", "bf16"]

DEVICES = {"cpu": mx.Device(mx.cpu), "gpu": mx.Device(mx.gpu)}


@dataclass(frozen=True)
class Compiled:
    """One function for one batch size. `note` says why the cache was not used or not written."""

    page: Page
    function: Function
    from_cache: bool
    note: str | None


class Source:
    """One model in one precision on one device. Reads the package when the cache has no answer, and then only once."""

    def __init__(
        self, package: Package, precision: Precision, function: str | None, device: Device, folder: Path | None
    ) -> None:
        self._package, self._precision, self._function = package, precision, function
        self._device, self._folder = device, folder
        self._key = Key(package.digest, function or "", precision, device)
        self._known: tuple[Page, Program] | None = None

    def compiled(self, batch: int) -> Compiled:
        """The function for `batch` images. Raises what `compile_model` raises."""
        note = None
        if self._folder is not None:
            page, file, note = cache.load(self._folder, self._key, batch)
            if page and file:
                return Compiled(page, self._imported(file), True, None)
        page, program = self._program()
        function, problem = self._traced(page, program, batch)
        return Compiled(page, function, False, problem or note)

    def _program(self) -> tuple[Page, Program]:
        if self._known is None:
            self._known = read(self._package, self._function, self._precision, self._device)
        return self._known

    def _traced(self, page: Page, program: Program, batch: int) -> tuple[Function, str | None]:
        """The function replayed from its own export, as on every later start.

        Where no file can be written at all it is the Python function: the same operations, dispatched one by one.
        """
        example = mx.zeros((batch, *program.inputs[0].shape[1:]), dtype=mx.uint8)
        with mx.stream(DEVICES[self._device]), ExitStack() as stack:
            function = _checked(page, program, example)
            note = None
            if self._folder is not None:
                try:
                    exported = _export(self._folder, function, example)
                    return self._imported(cache.store(self._folder, self._key, batch, page, exported)), None
                except (OSError, RuntimeError) as error:
                    note = cache.not_kept(error)
            with suppress(OSError, RuntimeError):
                place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                return self._imported(_export(place, function, example)), note
            return function, note

    def _imported(self, file: Path) -> Function:
        """The function in the file. MLX keeps the file open, so that it may vanish afterwards."""
        with mx.stream(DEVICES[self._device]):
            replay: Any = mx.import_function(str(file))
        # On the CPU mx.compile would write C++ and call a compiler that the user need not have.
        return mx.compile(replay) if self._device == "gpu" else replay


def read(package: Package, function: str | None, precision: Precision, device: Device) -> tuple[Page, Program]:
    """Package to program, every pass run.

    Raises ModelUnreadable, ModelHasNoImageInput, UnsupportedModel, UnsupportedOps.
    """
    specification = read_specification(package)
    facts = read_facts(package, specification)
    if facts.kind == "neuralNetwork":
        raise UnsupportedModel(model=facts.name, cause=N_("NeuralNetwork files cannot run on MLX yet"))
    if facts.kind == "pipeline":
        raise UnsupportedModel(model=facts.name, cause=N_("pipelines cannot run on MLX yet"))
    if facts.image.colour not in ("RGB", "BGR"):
        raise UnsupportedModel(model=facts.name, cause=N_("greyscale images cannot run on MLX yet"))
    name = function_name(package, specification, function)
    missing = {kind for kind in operation_kinds(specification, name) if kind not in TABLE and not _taken_off(kind)}
    if missing:
        raise UnsupportedOps(model=facts.name, ops=tuple(sorted(missing)))
    program = legalise(read_program(package, specification, name), facts)
    outputs = tuple((output, value.shape, value.dtype) for output, value in program.outputs)
    for one in passes_for(facts.image.colour, precision, device):
        program = one(program)
    return Page(facts, outputs, program.batch_free), program


def _taken_off(kind: str) -> bool:
    """What `legalise` leaves no trace of."""
    return kind in ("const", "classify") or kind.startswith("constexpr_")


def _checked(page: Page, program: Program, example: mx.array) -> Function:
    """The built function, after its graph was made once without being evaluated: what cannot be covered shows here."""
    try:
        function = build(program)
        function(example)
    except NotCovered as error:
        raise UnsupportedOps(model=page.facts.name, ops=(str(error),)) from error
    return function


def _export(folder: Path, function: Function, example: mx.array) -> Path:
    """A new file in `folder` with the function traced for arrays like `example`.

    Raises OSError, or RuntimeError as MLX does when it cannot write; then nothing stays behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}-{id(function):x}.tmp.mlxfn"
    try:
        mx.export_function(str(file), function, example)
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise
    return file
