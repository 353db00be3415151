"""Where the functions of a compiled model come from: the cache, or the package."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from app.compiler import cache
from app.compiler.cache import Key, Page
from app.compiler.devices import DEVICES, Device, Precision
from app.compiler.reading.package import Package
from app.compiler.reading.shapes import Shapes
from app.compiler.schedule import load
from app.machine.allocation import keep_freed_memory
from app.machine.blas import computing_threads

if TYPE_CHECKING:
    from app.compiler.build import Function
    from app.compiler.facts import ModelFacts
    from app.compiler.program import Program

# `preparation`, and with it every pass and lowering, is imported where the cache has no answer.


_SCHEDULE = ".safetensors"


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
        accept: Callable[[ModelFacts], object] = lambda facts: None,
    ) -> None:
        """`accept` is given the model's facts before any work, and raises what it has against them."""
        self._package, self._precision, self._function = package, precision, function
        self._device, self._folder, self._accept = device, folder, accept
        self._lanes = computing_threads() if device == "cpu" else 1
        # What is kept for two lanes is of no use to four.
        where = f"{device}{self._lanes}" if self._lanes > 1 else device
        self._key = Key(package.digest, function or "", precision, where)
        self._programs: dict[Shapes, tuple[Page, Program]] = {}

    def compiled(self, batch: int, shapes: Shapes = ()) -> Compiled:
        """The function for a batch of that size, of inputs of these shapes, those left out of their default ones.

        Raises what `compile_model` raises.
        """
        if self._device == "cpu" and keep_freed_memory() and not mx.is_available(mx.gpu):
            # malloc gives out first what was freed last and is still in the processor's cache, MLX's own store does
            # not: EfficientNet-Lite0 took 10 % longer with it.
            mx.set_cache_limit(0)
        note = None
        key = replace(self._key, shapes=shapes)
        if self._folder is not None:
            page, file, note = cache.load(self._folder, key, batch)
            if page and file:
                # The same content may have been compiled under another name.
                page = replace(page, facts=replace(page.facts, name=self._package.name))
                self._accept(page.facts)
                return Compiled(page, self._imported(file), True, None)
        page, program = self._program(shapes)
        function, problem = self._in_lanes(key, page, program, batch) or self._traced(key, page, program, batch)
        return Compiled(page, function, False, problem or note)

    def export(self, file: Path, batch: int, shapes: Shapes) -> None:
        """Write the function to `file`. Raises OSError or RuntimeError as MLX does when it cannot write."""
        from app.compiler.preparation import built

        page, program = self._program(shapes)
        with mx.stream(DEVICES[self._device]):
            # Whoever loads the file may have another GPU.
            function, examples = built(page.facts.name, program, batch, self._device, portable=True)
            mx.export_function(str(file), function, *examples)

    def _program(self, shapes: Shapes) -> tuple[Page, Program]:
        from app.compiler.preparation import prepared

        if shapes not in self._programs:
            self._programs[shapes] = prepared(
                self._package, self._function, self._precision, self._device, shapes, self._accept
            )
        return self._programs[shapes]

    def _in_lanes(self, key: Key, page: Page, program: Program, batch: int) -> tuple[Function, str | None] | None:
        """The function shared among the threads of the CPU; None when it is not large enough, or for the GPU."""
        from app.compiler.preparation import scheduled

        if self._lanes < 2:
            return None
        with mx.stream(DEVICES[self._device]):
            steps = scheduled(page.facts.name, program, batch, self._lanes)
            if steps is None:
                return None
            note = None
            if self._folder is not None:
                try:
                    file = _written(self._folder, _SCHEDULE, steps.save)
                    cache.store(self._folder, key, batch, page, file, _SCHEDULE)
                except (OSError, RuntimeError) as error:
                    note = cache.not_kept(error)
            return steps.function(), note

    def _traced(self, key: Key, page: Page, program: Program, batch: int) -> tuple[Function, str | None]:
        """The function replayed from its own export, as on every later start.

        Where no file can be written at all it is the Python function: the same operations, dispatched one by one.
        """
        from app.compiler.preparation import built

        with mx.stream(DEVICES[self._device]), ExitStack() as stack:
            function, examples = built(page.facts.name, program, batch, self._device)
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
            if file.suffix == _SCHEDULE:
                return load(file).function()
            replay: Any = mx.import_function(str(file))
        # On the CPU mx.compile would write C++ and call a compiler that the user need not have.
        return mx.compile(replay) if self._device == "gpu" else replay


def _export(folder: Path, function: Function, examples: list[mx.array]) -> Path:
    """A new file in `folder` with the function traced for arrays like `examples`. Raises what `_written` raises."""
    return _written(folder, ".mlxfn", lambda file: mx.export_function(str(file), function, *examples))


def _written(folder: Path, suffix: str, write: Callable[[Path], object]) -> Path:
    """A new file in `folder`, which `write` fills.

    Raises OSError, or RuntimeError as MLX does when it cannot write; then nothing stays behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}-{id(write):x}.tmp{suffix}"
    try:
        write(file)
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise
    return file
