"""Package -> one program with the inputs and outputs that its description declares, before any pass for speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.compiler.facts import ModelFacts
from app.compiler.ops.registry import TABLE
from app.compiler.passes.declared import give_outputs, take_inputs
from app.compiler.program import Program
from app.compiler.reading.description import function_name, read_facts, stage_facts
from app.compiler.reading.legalise import legalise
from app.compiler.reading.limits import refuse_large
from app.compiler.reading.linking import Chain
from app.compiler.reading.package import Package
from app.compiler.reading.pipeline import Stage, running_stages
from app.compiler.reading.read import operation_kinds, read_program, read_specification
from app.compiler.reading.shapes import Shapes, fix_shapes
from app.errors import ModelUnreadable, UnsupportedModel, UnsupportedOps
from app.i18n import N_


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
    if not stages and not left_out:
        raise ModelUnreadable(model=facts.name, cause=N_("it holds no model"))
    if not stages:
        cause = N_("its stages are {stages}, and none is a network that can run by itself")
        raise UnsupportedModel(model=facts.name, cause=cause, details={"stages": left_out})
    _refuse_unknown(package, stages, function)
    if facts.kind != "pipeline":
        (stage,) = stages
        program = _stage_program(package, _fixed(facts, stage, function, dict(shapes)), stage, function)
        return _with_shapes(facts, program), program
    chain = Chain(facts)
    for stage in stages:
        own = _fixed(facts, stage, None, dict(shapes) | chain.given())
        chain.add(_stage_program(package, own, stage, None), own)
    program = chain.program()
    return _with_shapes(facts, program), program


def _with_shapes(facts: ModelFacts, program: Program) -> ModelFacts:
    """The facts with the shapes of inputs whose description leaves them to the program."""
    arrays = [feature for feature in facts.inputs if feature.is_array]
    found = {f.name: f.shape or value.shape for f, value in zip(arrays, program.inputs, strict=True)}
    return replace(facts, inputs=tuple(replace(f, shape=found.get(f.name, ())) for f in facts.inputs))


def _fixed(facts: ModelFacts, stage: Stage, function: str | None, chosen: Mapping[str, tuple[int, ...]]) -> ModelFacts:
    """The facts of one network after its inputs got their shapes."""
    fix_shapes(stage.specification, function, stage_facts(facts, stage, function).inputs, chosen)
    return stage_facts(facts, stage, function)


def _stage_program(package: Package, own: ModelFacts, stage: Stage, function: str | None) -> Program:
    """The program of one network whose shapes are fixed; `own` are the facts of it alone."""
    if own.label and not (own.probabilities and own.labels):
        cause = N_("it tells a label, but its probabilities or class labels cannot be read")
        raise UnsupportedModel(model=own.name, cause=cause)
    program = legalise(read_program(package, stage.specification, function), own)
    # Those of an ML Program were looked at before any work; a NeuralNetwork has its operations only now.
    missing = {operation.kind for operation in program.operations} - set(TABLE)
    if missing:
        raise UnsupportedOps(model=package.name, ops=tuple(sorted(missing)))
    refuse_large(program, package.name)
    return give_outputs(take_inputs(program, own), own)


def _refuse_unknown(package: Package, stages: tuple[Stage, ...], function: str | None) -> None:
    """Name all operations of ML Programs that have no lowering, at once."""
    kinds: set[str] = set()
    for specification in (stage.specification for stage in stages):
        if specification.WhichOneof("Type") == "mlProgram":
            kinds |= operation_kinds(specification, function_name(package.name, specification, function))
    missing = {kind for kind in kinds if kind not in TABLE and not is_taken_off(kind)}
    if missing:
        raise UnsupportedOps(model=package.name, ops=tuple(sorted(missing)))


_TAKEN_OFF = ("const", "classify", "cond", "while_loop", "read_state", "write_state", "coreml_update_state")


def is_taken_off(kind: str) -> bool:
    """What `legalise` leaves no trace of."""
    return kind in _TAKEN_OFF or kind.startswith("constexpr_")
