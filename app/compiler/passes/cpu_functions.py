"""Which operations MLX on the CPU runs in a form of their own: `ops/functions_cpu.py`, `ops/transformers_cpu.py`."""

from __future__ import annotations

import sys
from dataclasses import replace

from app.compiler.program import Operation, Program

_ANYWHERE = {"gelu", "erf", "tanh", "sigmoid", "silu", "attention"}
_ANYWHERE |= {"relu", "relu6", "clip", "sigmoid_hard", "hard_swish"}
_LAST_AXIS = {"softmax": "axis", "layer_norm": "axes"}
"""Those that have such a form along the last axis alone, and the input that names the axis."""


def route_functions(program: Program) -> Program:
    """Before: gelu, softmax, layer_norm … in float32. After: the same made of additions and products.

    On macOS MLX has vector code for all of them, and the program stays as it is.
    """
    if sys.platform == "darwin":
        return program
    return replace(program, operations=tuple(_routed(operation) for operation in program.operations))


def _routed(operation: Operation) -> Operation:
    if any(value.dtype != "fp32" for value in (*operation.outputs, *operation.values())):
        return operation
    if operation.kind in _LAST_AXIS:
        return _along_last_axis(operation)
    return replace(operation, kind=f"cpu_{operation.kind}") if operation.kind in _ANYWHERE else operation


def _along_last_axis(operation: Operation) -> Operation:
    rank, name = len(operation.output.shape), _LAST_AXIS[operation.kind]
    axes = operation.numbers(name, (-1,) if name == "axis" else tuple(range(rank)))
    if not rank or [axis % rank for axis in axes] != [rank - 1]:
        return operation
    inputs = {key: one for key, one in operation.inputs.items() if key != name}
    return replace(operation, kind=f"cpu_{operation.kind}", inputs=inputs)
