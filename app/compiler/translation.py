"""Package -> one program with the inputs and outputs that its description declares, before any pass for speed."""

from __future__ import annotations

from collections.abc import Callable

from app.compiler.description import function_name, read_facts, stage_facts
from app.compiler.facts import ModelFacts
from app.compiler.legalise import legalise
from app.compiler.ops.registry import TABLE
from app.compiler.package import Package
from app.compiler.passes.declared import give_outputs, take_inputs
from app.compiler.pipeline import Stage, running_stages
from app.compiler.program import Program
from app.compiler.read import operation_kinds, read_program, read_specification
from app.errors import UnsupportedModel, UnsupportedOps
from app.i18n import N_

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names and shapes of inputs that do not have their default shape."""


def translated(
    package: Package, function: str | None, shapes: Shapes, accept: Callable[[ModelFacts], object]
) -> tuple[ModelFacts, Program]:
    """The facts, and the program for inputs of these shapes. `accept` is given the facts before any work.

    Raises ModelUnreadable, UnsupportedModel, UnsupportedOps, and what `accept` raises.
    """
    specification = read_specification(package)
    facts = read_facts(package, specification, function)
    accept(facts)
    stages, left_out = running_stages(specification)
    if not stages:
        cause = N_("its stages are {stages}, and none is a network that can run by itself")
        raise UnsupportedModel(model=facts.name, cause=cause, details={"stages": left_out})
    if facts.kind == "pipeline":
        raise UnsupportedModel(model=facts.name, cause=N_("pipelines cannot run on MLX yet"))
    (stage,) = stages
    _refuse_unknown(package, stage, function)
    return facts, _stage_program(package, facts, stage, function)


def _stage_program(package: Package, facts: ModelFacts, stage: Stage, function: str | None) -> Program:
    own = stage_facts(facts, stage, function)
    program = legalise(read_program(package, stage.specification, function), own)
    return give_outputs(take_inputs(program, own), own)


def _refuse_unknown(package: Package, stage: Stage, function: str | None) -> None:
    """Name all operations that have no lowering, at once."""
    if stage.specification.WhichOneof("Type") != "mlProgram":
        return
    kinds = operation_kinds(stage.specification, function_name(package.name, stage.specification, function))
    missing = {kind for kind in kinds if kind not in TABLE and not _taken_off(kind)}
    if missing:
        raise UnsupportedOps(model=package.name, ops=tuple(sorted(missing)))


def _taken_off(kind: str) -> bool:
    """What `legalise` leaves no trace of."""
    return kind in ("const", "classify") or kind.startswith("constexpr_")
