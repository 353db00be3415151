"""MIL program as coremltools loads it -> our own `Program`.

Constants are put where they are used, compressed ones expanded by coremltools' own code (so that they are equal to its
decompression bit for bit), `classify` is taken off, for its label is looked up outside the traced function.
"""

from __future__ import annotations

from typing import Any

from app.compiler.facts import ModelFacts
from app.compiler.ops.registry import NotCovered
from app.compiler.program import Program, Value
from app.compiler.reading.blocks import Line
from app.compiler.reading.pymil import Flexible, is_state, value_of
from app.errors import UnsupportedModel, UnsupportedOps
from app.i18n import N_


def legalise(function: Any, facts: ModelFacts) -> Program:
    """The main block of `function`.

    Raises UnsupportedModel for a shape that is not fixed, UnsupportedOps for blocks that cannot be put in line.
    """
    try:
        return translate(function, facts.probabilities)
    except NotCovered as error:
        raise UnsupportedOps(model=facts.name, ops=(str(error),)) from error
    except Flexible as error:
        raise UnsupportedModel(
            model=facts.name,
            cause=N_("the shape of {value} depends on what is computed, which MLX cannot follow"),
            details={"value": str(error)},
        ) from error


def translate(function: Any, probabilities: str | None = None) -> Program:
    """A MIL function as our program; what `classify` reads becomes the output `probabilities`.

    Its states are the last inputs, and what they hold afterwards the last outputs. Raises Flexible, NotCovered.
    """
    _drop_dead(function)
    given = {name: value_of(var) for name, var in function.inputs.items()}
    states = tuple(name for name, var in function.inputs.items() if is_state(var))
    line = Line(states)
    line.append(function.operations)
    outputs: list[tuple[str, Value]] = []
    for op in function.operations:
        if op.op_type == "classify":
            outputs.append((probabilities or op.outputs[1].name, line.given(op.probabilities)))
    for var in function.outputs:
        if var.op is None or var.op.op_type != "classify":
            outputs.append((var.name, line.given(var)))
    outputs += [(name, line.given(function.inputs[name])) for name in states]
    inputs = tuple(sorted(given.values(), key=lambda value: value.name in states))
    return Program(inputs, tuple(line.operations), tuple(outputs))


def _drop_dead(function: Any) -> None:
    """Leave out what no output needs.

    The only one of coremltools' passes that is run: those that fold weights do it in the stored type, and fp32 must not
    inherit fp16's rounding.
    """
    from coremltools.converters.mil.mil import Program as MilProgram
    from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY

    program = MilProgram()
    program.add_function("main", function)
    PASS_REGISTRY["common::dead_code_elimination"](program)
