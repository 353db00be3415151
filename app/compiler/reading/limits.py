"""Shapes that no machine can hold are refused before memory is asked for.

A file of a few hundred bytes can ask for 10^12 elements, in a type that it declares or in what a `fill` or `tile` makes
of small constants. The declared types are looked at before coremltools loads the program, the inferred ones while it
does, the whole program once more as ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Any

import numpy as np
import psutil

from app.compiler.program import Program
from app.errors import UnsupportedModel
from app.i18n import N_

_ELEMENTS = 2**31 - 1
"""MLX counts along an axis, and its kernels within a tensor, in 32 bits; Core ML does the same."""
_EVALUATED = 2**22
"""Elements up to which coremltools may work out a result while it loads, where it is larger than what it is made of."""
_DEPTH = 40
"""Blocks inside blocks. protobuf itself gives up at 100 messages inside each other, two a block."""
_BITS = {"fp16": 16, "bf16": 16, "fp64": 64, "int64": 64, "uint64": 64, "bool": 8}


def refuse_declared(function: Any, model: str) -> None:
    """Look at every type that a function of an ML Program (protobuf) declares. Raises UnsupportedModel."""
    for given in function.inputs:
        _refuse(given.name, _declared(given.type), _width(given.type), model)
    waiting = [(block, 0) for block in function.block_specializations.values()]
    while waiting:
        block, depth = waiting.pop()
        if depth > _DEPTH:
            raise UnsupportedModel(model=model, cause=N_("its blocks are nested too deeply"))
        for operation in block.operations:
            for result in operation.outputs:
                _refuse(f"{operation.type} {result.name}", _declared(result.type), _width(result.type), model)
            waiting += [(inner, depth + 1) for inner in operation.blocks]


@contextmanager
def refusing_inferred(model: str) -> Iterator[None]:
    """While pymil operations are made: refuse what would be too large, before it is evaluated. Raises UnsupportedModel.

    coremltools evaluates what follows from constants as it goes and asks nobody; between the inference of the type
    and that of the value is the only place to step in. Not for two threads at once.
    """
    from coremltools.converters.mil.mil import Operation

    both, value = Operation.type_value_inference, Operation._auto_val

    def checked_both(operation: Any, *arguments: Any, **named: Any) -> None:
        try:
            # Sizes are multiplied in 32 bits, which would wrap round to something small.
            with np.errstate(over="raise"):
                both(operation, *arguments, **named)
        except FloatingPointError as error:
            what = {"what": f"{operation.op_type} {operation.name}", "limit": f"{_ELEMENTS:,}"}
            cause = N_("its value {what} has more than {limit} elements")
            raise UnsupportedModel(model=model, cause=cause, details=what) from error

    def checked_value(operation: Any, output_types: tuple[Any, ...]) -> Any:
        made = sum(_refuse_inferred(operation, one, model) for one in output_types)
        # A constant is there already, and what compresses one is expanded later.
        stored = operation.op_type.startswith("const")
        if not stored and made > _EVALUATED and made > sum(_count(var.shape or ()) for var in _read(operation)):
            return tuple(None for _ in output_types)
        with np.errstate(over="warn"):
            return value(operation, output_types)

    Operation.type_value_inference, Operation._auto_val = checked_both, checked_value
    try:
        yield
    finally:
        Operation.type_value_inference, Operation._auto_val = both, value


def refuse_large(program: Program, model: str) -> None:
    """Look at every value of our program. Raises UnsupportedModel."""
    for value in program.inputs:
        _refuse(value.name, value.shape, _BITS.get(value.dtype, 32), model)
    for operation in program.operations:
        for value in operation.outputs:
            _refuse(f"{operation.kind} {value.name}", value.shape, _BITS.get(value.dtype, 32), model)


def _refuse_inferred(operation: Any, inferred: Any, model: str) -> int:
    """The elements of one result, 0 for what is no tensor."""
    from coremltools.converters.mil.mil import types

    held = inferred.wrapped_type() if types.is_state(inferred) else inferred
    if not types.is_tensor(held):
        return 0
    bits = _BITS.get(types.builtin_to_string(held.get_primitive()), 32)
    _refuse(f"{operation.op_type} {operation.name}", held.get_shape(), bits, model)
    return _count(held.get_shape())


def _refuse(what: str, shape: Sequence[Any], bits: int, model: str) -> None:
    elements = _count(shape)
    if elements > _ELEMENTS or elements * bits // 8 > _memory():
        text = " × ".join(f"{size:,}" if isinstance(size, int | np.integer) else "?" for size in shape)
        cause = N_("its value {what} has {shape} elements, more than this machine can hold")
        raise UnsupportedModel(model=model, cause=cause, details={"what": what, "shape": text})


def _count(shape: Sequence[Any]) -> int:
    """Elements, counting an axis that is not fixed as one."""
    return prod(int(size) for size in shape if isinstance(size, int | np.integer))


def _declared(declared: Any) -> list[Any]:
    """The sizes of a declared type, None where one is open; [] for what is no tensor."""
    dimensions = _tensor(declared).dimensions
    return [d.constant.size if d.WhichOneof("dimension") == "constant" else None for d in dimensions]


def _width(declared: Any) -> int:
    """Bits of an element of a declared type as it is in memory."""
    from coremltools.proto import MIL_pb2

    kind = _tensor(declared).dataType
    digits = re.search(r"\d+", MIL_pb2.DataType.Name(kind) if kind in MIL_pb2.DataType.values() else "")
    return max(8, int(digits[0]) if digits else 8)


def _tensor(declared: Any) -> Any:
    return (declared.stateType.wrappedType if declared.HasField("stateType") else declared).tensorType


def _read(operation: Any) -> list[Any]:
    return [var for var in operation.get_flattened_inputs() if var is not None and hasattr(var, "shape")]


@cache
def _memory() -> int:
    """Bytes of this machine's memory."""
    return int(psutil.virtual_memory().total)
