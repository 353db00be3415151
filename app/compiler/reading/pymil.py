"""One operation or variable of pymil, coremltools' MIL in memory, as ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.compiler.program import Argument, Operation, Value
from app.compiler.reading.constexpr import expanded, is_expanded


class Flexible(Exception):
    """A value has no fixed shape."""


def operation_of(op: Any) -> Operation:
    """The operation with its constants where they are used. Raises Flexible."""
    # `name` is an input in MIL's eyes, for us it is no argument.
    inputs = {k: argument_of(v) for k, v in op.inputs.items() if v is not None and k != "name"}
    return Operation(op.op_type, inputs, tuple(value_of(var) for var in op.outputs))


def argument_of(var: Any) -> Argument:
    """What an operation reads: a constant as the file means it, or a value. Raises Flexible."""
    if isinstance(var, list | tuple):
        return tuple(argument_of(one) for one in var)  # type: ignore[misc]
    if var.op is not None and is_expanded(var.op):
        return expanded(var)
    if var.val is None or _computed_float(var):
        return value_of(var)
    if isinstance(var.val, str | bool | int | float):
        return var.val
    return np.asarray(var.val)


def is_state(var: Any) -> bool:
    """Whether an input keeps what is written to it until the next call."""
    from coremltools.converters.mil.mil import types

    return bool(types.is_state(var.sym_type))


def _computed_float(var: Any) -> bool:
    """Whether coremltools computed it, and so rounded it to the stored type, which passes/constants.py does not."""
    from coremltools.converters.mil.mil import types

    return var.op is not None and var.op.op_type != "const" and types.is_float(var.dtype)


def value_of(var: Any) -> Value:
    """Name, shape and type; of a state those of what it holds. Raises Flexible."""
    from coremltools.converters.mil.mil import types

    held = var.sym_type.wrapped_type() if types.is_state(var.sym_type) else var.sym_type
    shape, dtype = (held.get_shape(), held.get_primitive()) if types.is_tensor(held) else ((), held)
    if any(not isinstance(size, int | np.integer) for size in shape):
        raise Flexible(var.name)
    return Value(var.name, tuple(int(size) for size in shape), types.builtin_to_string(dtype))
