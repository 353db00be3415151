"""Where the functions of a compiled model come from: the cache, or the package."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx

from app.compiler import cache
from app.compiler.build import Function, build
from app.compiler.cache import Key, Page
from app.compiler.facts import ModelFacts
from app.compiler.ops.registry import NotCovered
from app.compiler.ops.types import mlx_dtype
from app.compiler.package import Package
from app.compiler.passes import passes_at, passes_for
from app.compiler.program import Program
from app.compiler.shapes import Shapes
from app.compiler.translation import translated
from app.errors import UnsupportedOps

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
    """One model in one precision on one device. Reads the package when the cache has no answer."""

    def __init__(
        self,
        package: Package,
        precision: Precision,
        function: str | None,
        device: Device,
        folder: Path | None,
        accept: Callable[[Any], object] = lambda facts: None,
    ) -> None:
        """`accept` is given the model's facts before any work, and raises what it has against them."""
        self._package, self._precision, self._function = package, precision, function
        self._device, self._folder, self._accept = device, folder, accept
        self._key = Key(package.digest, function or "", precision, device)
        self._programs: dict[Shapes, tuple[Page, Program]] = {}

    def compiled(self, batch: int, shapes: Shapes = ()) -> Compiled:
        """The function for a batch of that size, of inputs of these shapes, those left out of their default ones.

        Raises what `compile_model` raises.
        """
        note = None
        key = replace(self._key, shapes=shapes)
        if self._folder is not None:
            page, file, note = cache.load(self._folder, key, batch)
            if page and file:
                self._accept(page.facts)
                return Compiled(page, self._imported(file), True, None)
        page, program = self._program(shapes)
        function, problem = self._traced(key, page, program, batch)
        return Compiled(page, function, False, problem or note)

    def export(self, file: Path, batch: int, shapes: Shapes) -> None:
        """Write the function to `file`. Raises OSError or RuntimeError as MLX does when it cannot write."""
        page, program = self._program(shapes)
        program = at_batch(program, batch, self._device)
        with mx.stream(DEVICES[self._device]):
            examples = _examples(program)
            mx.export_function(str(file), _checked(page, program, examples), *examples)

    def _program(self, shapes: Shapes) -> tuple[Page, Program]:
        if shapes not in self._programs:
            self._programs[shapes] = _read(
                self._package, self._function, self._precision, self._device, shapes, self._accept
            )
        return self._programs[shapes]

    def _traced(self, key: Key, page: Page, program: Program, batch: int) -> tuple[Function, str | None]:
        """The function replayed from its own export, as on every later start.

        Where no file can be written at all it is the Python function: the same operations, dispatched one by one.
        """
        program = at_batch(program, batch, self._device)
        with mx.stream(DEVICES[self._device]), ExitStack() as stack:
            examples = _examples(program)
            function = _checked(page, program, examples)
            note = None
            if self._folder is not None:
                try:
                    exported = _export(self._folder, function, examples)
                    return self._imported(cache.store(self._folder, key, batch, page, exported)), None
                except (OSError, RuntimeError) as error:
                    note = cache.not_kept(error)
            with suppress(OSError, RuntimeError):
                place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                return self._imported(_export(place, function, examples)), note
            return function, note

    def _imported(self, file: Path) -> Function:
        """The function in the file. MLX keeps the file open, so that it may vanish afterwards."""
        with mx.stream(DEVICES[self._device]):
            replay: Any = mx.import_function(str(file))
        # On the CPU mx.compile would write C++ and call a compiler that the user need not have.
        return mx.compile(replay) if self._device == "gpu" else replay


def read(
    package: Package, function: str | None, precision: Precision, device: Device, shapes: Shapes = ()
) -> tuple[Page, Program]:
    """Package to program, every pass run, for one image.

    Raises ModelUnreadable, UnsupportedModel, UnsupportedOps.
    """
    page, program = _read(package, function, precision, device, shapes, lambda facts: None)
    return page, at_batch(program, 1, device)


def at_batch(program: Program, batch: int, device: Device) -> Program:
    """What `_read` gave, ready to build for a batch of that size."""
    for one in passes_at(batch, device):
        program = one(program)
    return program


def _read(
    package: Package,
    function: str | None,
    precision: Precision,
    device: Device,
    shapes: Shapes,
    accept: Callable[[Any], object],
) -> tuple[Page, Program]:
    facts, program = translated(package, function, shapes, accept)
    declared = {feature.name: feature.dtype for feature in facts.output_features if feature.kind != "image" and feature.is_array}
    outputs = tuple((name, value.shape, declared.get(name, value.dtype)) for name, value in program.outputs)
    for one in passes_for(precision, device):
        program = one(program)
    return Page(facts, outputs), program


def prove(facts: ModelFacts, program: Program) -> None:
    """Build the program for one image and evaluate nothing. Raises UnsupportedOps where a lowering cannot follow."""
    for one in passes_for("stored", "cpu"):
        program = one(program)
    program = at_batch(program, 1, "cpu")
    _checked(Page(facts, ()), program, _examples(program))


def _examples(program: Program) -> list[mx.array]:
    return [mx.zeros(value.shape, dtype=mlx_dtype(value.dtype)) for value in program.inputs]


def _checked(page: Page, program: Program, examples: list[mx.array]) -> Function:
    """The built function, after its graph was made once without being evaluated: what cannot be covered shows here."""
    try:
        function = build(program)
        function(*examples)
    except NotCovered as error:
        raise UnsupportedOps(model=page.facts.name, ops=(str(error),)) from error
    return function


def _export(folder: Path, function: Function, examples: list[mx.array]) -> Path:
    """A new file in `folder` with the function traced for arrays like `examples`.

    Raises OSError, or RuntimeError as MLX does when it cannot write; then nothing stays behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}-{id(function):x}.tmp.mlxfn"
    try:
        mx.export_function(str(file), function, *examples)
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise
    return file
