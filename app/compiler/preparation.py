"""Package -> program with every pass run -> Python function on MLX arrays: what is done once for a cached model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mlx.core as mx

from app.compiler.build import Function, build
from app.compiler.cache import Page
from app.compiler.devices import Device, Precision
from app.compiler.facts import ModelFacts
from app.compiler.ops.registry import NotCovered
from app.compiler.ops.types import mlx_dtype
from app.compiler.passes import passes_at, passes_for
from app.compiler.passes.lanes.in_lanes import in_lanes
from app.compiler.program import Program, Value
from app.compiler.reading.package import Package
from app.compiler.reading.shapes import Shapes
from app.compiler.reading.translation import translated
from app.compiler.schedule import Schedule, schedule
from app.errors import InternalError, UnsupportedOps


def prepared(
    package: Package,
    function: str | None,
    precision: Precision,
    device: Device,
    shapes: Shapes = (),
    accept: Callable[[ModelFacts], object] = lambda facts: None,
) -> tuple[Page, Program]:
    """The page, and the program before it is made for a batch. `accept` is given the facts before any work.

    Raises ModelUnreadable, UnsupportedModel, UnsupportedOps, and what `accept` raises.
    """
    facts, program = translated(package, function, shapes, accept)
    arrays = [feature for feature in facts.output_features if feature.is_array and feature.kind != "image"]
    declared = {feature.name: feature.dtype for feature in arrays}
    outputs = tuple((name, value.shape, declared.get(name, value.dtype)) for name, value in program.outputs)
    for one in passes_for(precision, device):
        program = one(program)
    return Page(facts, outputs), program


def at_batch(program: Program, batch: int, device: Device, *, portable: bool = False) -> Program:
    """What `prepared` gave, ready to build for a batch of that size; `portable` as in `passes_at`."""
    for one in passes_at(batch, device, portable=portable):
        program = one(program)
    return program


def built(
    model: str, program: Program, batch: int, device: Device, *, portable: bool = False
) -> tuple[Function, list[mx.array]]:
    """The function of what `prepared` gave, and arrays of the shapes and types that it takes.

    Its graph was made once without being evaluated: what cannot be covered shows here, all of it at once. Raises
    UnsupportedOps.
    """
    program = at_batch(program, batch, device, portable=portable)
    try:
        examples = _zeros(program.inputs)
        function = build(program)
        function(*examples)
    except NotCovered as error:
        raise UnsupportedOps(model=model, ops=_not_covered(program) or (str(error),)) from error
    return function, examples


def scheduled(model: str, program: Program, batch: int, lanes: int) -> Schedule | None:
    """What `prepared` gave for the CPU, shared among lanes; None where there is nothing to share.

    Raises UnsupportedOps.
    """
    program = at_batch(program, batch, "cpu")
    shared = in_lanes(program, lanes)
    if not any(operation.lane for operation in shared.operations):
        return None
    try:
        build(shared)(*_zeros(shared.inputs))
    except NotCovered as error:
        raise UnsupportedOps(model=model, ops=_not_covered(program) or (str(error),)) from error
    return schedule(shared)


def _not_covered(program: Program) -> tuple[str, ...]:
    """What the lowerings cannot follow, operation by operation."""
    found = set()
    for operation in program.operations:
        values = tuple(dict.fromkeys(operation.values()))
        single = Program(values, (operation,), tuple((value.name, value) for value in operation.outputs))
        try:
            build(single)(*_zeros(values))
        except NotCovered as error:
            found.add(str(error))
        except (InternalError, RuntimeError, ValueError):
            continue  # A defect of another sort; it shows when what is listed here is gone.
    return tuple(sorted(found))


def _zeros(values: Sequence[Value]) -> list[mx.array]:
    return [mx.zeros(value.shape, dtype=mlx_dtype(value.dtype)) for value in values]


def read(package: Package, function: str | None, precision: Precision, device: Device) -> tuple[Page, Program]:
    """Package to program, every pass run, for one image. Raises ModelUnreadable, UnsupportedModel, UnsupportedOps."""
    page, program = prepared(package, function, precision, device)
    return page, at_batch(program, 1, device)


def prove(facts: ModelFacts, program: Program) -> None:
    """Build what `translated` gave for one image, and evaluate nothing.

    Raises UnsupportedOps where a lowering cannot follow.
    """
    for one in passes_for("stored", "cpu"):
        program = one(program)
    built(facts.name, program, 1, "cpu")
