"""Program -> one Python function on MLX arrays, the thing that is traced, exported and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from app.compiler.ops.registry import TABLE, Lowered, NotCovered
from app.compiler.ops.types import mlx_dtype
from app.compiler.program import FLOATS, Argument, Operation, Program, Value
from app.errors import InternalError

Function = Callable[..., tuple[mx.array, ...]]
Observer = Callable[[Operation, tuple[mx.array, ...]], None]
"""Sees every operation with what it gave, in order, while the function runs."""


def build(program: Program, observe: Observer | None = None) -> Function:
    """The function of the program's inputs that gives its outputs, both in order. Constants become MLX arrays once.

    At the batch size of the file each result is compared with the shape and type that the program declares. Raises
    NotCovered for an attribute that a lowering cannot follow, InternalError when a declared shape or type is missed.
    """
    steps = [(operation, TABLE[operation.kind], bind(operation)) for operation in program.operations]
    mx.eval([a for _, _, bound in steps for one in bound.values() for a in _arrays(one)])
    declared = [value.shape for value in program.inputs]

    def function(*inputs: mx.array) -> tuple[mx.array, ...]:
        known = {value.name: x for value, x in zip(program.inputs, inputs, strict=True)}
        as_declared = [x.shape for x in inputs] == declared
        for operation, lowered, bound in steps:
            results = run_step(operation.kind, lowered, bound, known)
            if observe:
                observe(operation, results)
            for value, result in zip(operation.outputs, results, strict=True):
                if as_declared:
                    _check(operation, value, result)
                known[value.name] = result
        return tuple(known[value.name] for _, value in program.outputs)

    return function


_IMPOSSIBLE = (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError)
"""What MLX and Python raise at numbers that make no sense, in a file that contradicts itself."""


def run_step(
    kind: str, lowered: Lowered, bound: Mapping[str, Any], known: Mapping[str, mx.array]
) -> tuple[mx.array, ...]:
    """What the lowering gives, as a tuple. Raises NotCovered."""
    arguments = {
        name: tuple(_look_up(one, known) for one in argument)
        if isinstance(argument, list)
        else _look_up(argument, known)
        for name, argument in bound.items()
    }
    try:
        result = lowered.function(**arguments)
    except _IMPOSSIBLE as error:
        raise NotCovered(f"{kind} ({error})") from error
    return result if isinstance(result, tuple) else (result,)


def _look_up(argument: Any, known: Mapping[str, mx.array]) -> Any:
    return known[argument.name] if isinstance(argument, Value) else argument


def bind(operation: Operation) -> dict[str, Any]:
    """The inputs as the lowering's annotations want them; a list stands for several tensors."""
    parameters = TABLE[operation.kind].parameters
    bound: dict[str, Any] = {}
    for name, argument in operation.inputs.items():
        if name not in parameters:
            raise NotCovered(f"{operation.kind} ({name})")
        bound[name] = _converted(argument, parameters[name], _float_type(operation), f"{operation.kind} ({name})")
    return bound


def _float_type(operation: Operation) -> str:
    """The type in which an operation computes: that of its float results, or (comparisons) of what it reads."""
    values = (*operation.outputs, *operation.values())
    return next((v.dtype for v in values if v.dtype in FLOATS), "fp32")


def _converted(argument: Argument, annotation: str, dtype: str, what: str) -> Any:
    if annotation.startswith("Sequence[mx.array]"):
        many = argument if isinstance(argument, tuple) else (argument,)
        return [one if isinstance(one, Value) else _tensor(one, dtype) for one in many]
    if annotation.startswith(("mx.array", "Wide")):
        wanted = "fp32" if annotation.startswith("Wide") else dtype
        return argument if isinstance(argument, Value) else _tensor(argument, wanted)
    if isinstance(argument, Value):
        # A size or axis that is computed at run time; none of our lowerings takes one.
        raise NotCovered(f"{what} computed at run time")
    plain = argument.tolist() if isinstance(argument, np.ndarray) else argument
    if annotation.startswith("tuple"):
        return tuple(plain) if isinstance(plain, list | tuple) else (plain,)
    # Some files write a scalar as a tensor of one element.
    return plain[0] if isinstance(plain, list) and len(plain) == 1 else plain


def _tensor(constant: Any, dtype: str) -> mx.array:
    """Constants stay as the file stores them until here; a float one takes the type that its operation computes in."""
    # mx.export_function writes an array's memory as it lies and forgets its strides, so a turned weight, which NumPy
    # and MLX both keep as a view, would come back scrambled (seen with MLX 0.32.4).
    array = np.ascontiguousarray(constant).reshape(np.shape(constant))
    if not np.issubdtype(array.dtype, np.floating):
        return mx.array(array)
    return mx.array(array.astype(np.float32)).astype(mlx_dtype(dtype))


def _arrays(bound: Any) -> list[mx.array]:
    return [one for one in (bound if isinstance(bound, list) else [bound]) if isinstance(one, mx.array)]


def _check(operation: Operation, value: Value, result: mx.array) -> None:
    if result.shape != value.shape or result.dtype != mlx_dtype(value.dtype):
        raise InternalError(
            cause=f"{operation.kind} {value.name}: {result.dtype} {result.shape} instead of {value.dtype} {value.shape}"
        )
