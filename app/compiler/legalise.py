"""MIL program as coremltools loads it -> our own `Program`.

Constants are put where they are used, compressed ones expanded by coremltools' own code (so that they are equal to its
decompression bit for bit), `classify` is taken off, for its label is looked up outside the traced function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.compiler.facts import ModelFacts
from app.compiler.program import Argument, Operation, Program, Value
from app.errors import UnsupportedModel
from app.i18n import N_

_COREMLTOOLS_PASSES = ("common::noop_elimination", "common::dead_code_elimination")
"""Only passes that change no number: those that fold weights do it in the stored type, and fp32 must not inherit
fp16's rounding."""


def legalise(function: Any, facts: ModelFacts) -> Program:
    """The main block of `function`. Raises UnsupportedModel for a shape that is not fixed."""
    try:
        return translate(function, facts.probabilities)
    except Flexible as error:
        raise UnsupportedModel(
            model=facts.name,
            cause=N_("the shape of {value} depends on what is computed, which MLX cannot follow"),
            details={"value": str(error)},
        ) from error


class Flexible(Exception):
    """A value has no fixed shape."""


def translate(function: Any, probabilities: str | None = None) -> Program:
    """A MIL function as our program; what `classify` reads becomes the output `probabilities`. Raises Flexible."""
    _simplify(function)
    operations: list[Operation] = []
    outputs: list[tuple[str, Value]] = []
    for op in function.operations:
        if op.op_type == "classify":
            outputs.append((probabilities or op.outputs[1].name, _value(op.probabilities)))
        elif op.op_type != "const" and not op.op_type.startswith("constexpr_"):
            operations.append(_operation(op))
    for var in function.outputs:
        if var.op is None or var.op.op_type != "classify":
            outputs.append((var.name, _value(var)))
    inputs = tuple(_value(var) for var in function.inputs.values())
    return Program(inputs, tuple(operations), tuple(outputs))


def _simplify(function: Any) -> None:
    from coremltools.converters.mil.mil import Program as MilProgram
    from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY

    program = MilProgram()
    program.add_function("main", function)
    for name in _COREMLTOOLS_PASSES:
        PASS_REGISTRY[name](program)


def _operation(op: Any) -> Operation:
    # `name` is an input in MIL's eyes, for us it is no argument.
    inputs = {k: _argument(v) for k, v in op.inputs.items() if v is not None and k != "name"}
    return Operation(op.op_type, inputs, tuple(_value(var) for var in op.outputs))


def _argument(var: Any) -> Argument:
    if isinstance(var, list | tuple):
        return tuple(_argument(one) for one in var)  # type: ignore[misc]
    if var.op is not None and var.op.op_type.startswith("constexpr_"):
        return np.asarray(var.op.materialized_val_inference())
    if var.val is None or _computed_float(var):
        return _value(var)
    if isinstance(var.val, str | bool | int | float):
        return var.val
    return np.asarray(var.val)


def _computed_float(var: Any) -> bool:
    """Whether coremltools computed it, and so rounded it to the stored type, which passes/constants.py does not."""
    from coremltools.converters.mil.mil import types

    return var.op is not None and var.op.op_type != "const" and types.is_float(var.dtype)


def _value(var: Any) -> Value:
    from coremltools.converters.mil.mil import types

    if any(not isinstance(size, int | np.integer) for size in var.shape or ()):
        raise Flexible(var.name)
    return Value(var.name, tuple(int(size) for size in var.shape or ()), types.builtin_to_string(var.dtype))
