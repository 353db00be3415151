"""Puts an inspection together from the specification and the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx

from app.compiler.facts import ModelFacts
from app.compiler.inspection.operations import count_operations
from app.compiler.inspection.report import Inspection, Obstacle, OperationCount
from app.compiler.inspection.weights import stored_weights
from app.compiler.inspection.work import multiply_adds
from app.compiler.ops.registry import TABLE
from app.compiler.preparation import prove
from app.compiler.reading.description import function_name, read_facts
from app.compiler.reading.package import Package, open_package
from app.compiler.reading.read import read_specification
from app.compiler.reading.translation import is_taken_off, translated
from app.errors import AppError, ModelUnreadable, UnsupportedOps, to_wire
from app.i18n import N_


def inspect(path: str | Path, function: str | None) -> Inspection:
    """See `app.compiler.inspection.inspect_model`."""
    package = open_package(path)
    specification = read_specification(package)
    facts = read_facts(package, specification, function)
    name = function_name(package.name, specification, function) if facts.functions else None
    try:
        weights = stored_weights(specification, name)
    except (KeyError, ValueError) as problem:
        raise ModelUnreadable(model=package.name, cause=N_("its description is damaged")) from problem
    work, error = _work_or_obstacle(package, function)
    unsupported = tuple(map(str, error.fields["ops"])) if isinstance(error, UnsupportedOps) else ()
    return Inspection(
        facts=facts,
        function=name,
        operations=_counted(specification, name, facts),
        unsupported=unsupported,
        weights=weights,
        parameters=sum(row.parameters for row in weights),
        multiply_adds=work,
        obstacle=Obstacle(*to_wire(error), sentence=str(error)) if error else None,
    )


def _work_or_obstacle(package: Package, function: str | None) -> tuple[int | None, AppError | None]:
    """Multiply-adds of one run as far as the program could be read, and what keeps MLX from running it."""
    work = None
    try:
        facts, program = translated(package, function, (), lambda facts: None)
        work = multiply_adds(program)
        # On the CPU, wherever it will run later: what a lowering covers does not depend on the device.
        with mx.stream(mx.Device(mx.cpu)):
            prove(facts, program)
    except AppError as error:
        return work, error
    return work, None


def _counted(specification: Any, function: str | None, facts: ModelFacts) -> tuple[OperationCount, ...]:
    known = set(TABLE)
    if facts.kind != "mlProgram":
        # Not at the top: it imports coremltools, which `read_specification` does quietly before.
        from app.compiler.network.rebuild import KINDS

        known |= KINDS
    counts = count_operations(specification, function)
    return tuple(
        OperationCount(kind, count, kind in known or is_taken_off(kind)) for kind, count in counts.most_common()
    )
