"""The float type that a program computes in."""

from __future__ import annotations

from dataclasses import replace

from app.compiler.program import FLOATS, Argument, Operation, Pass, Program, Value


def compute_in(dtype: str | None) -> Pass:
    """Before: floats of the types that the file declares. After: all but the inputs are `dtype`; None leaves them.

    What a cast between floats did falls away, and the outputs are cast back to what the file promises. Constants are
    not touched: they are stored values until build.py gives them the type of their operation, so fp32 runs with exactly
    the weights that the file holds.
    """

    def run(program: Program) -> Program:
        if dtype is None:
            return program
        given = {value.name for value in program.inputs}
        operations = [_converted(operation, dtype, given) for operation in program.operations]
        outputs = []
        for name, value in program.outputs:
            found = value if value.name in given else _typed(value, dtype)
            if found != value:
                restored = replace(value, name=f"{name} as declared")
                operations.append(Operation("cast", {"x": found, "dtype": value.dtype}, (restored,)))
                found = restored
            outputs.append((name, found))
        return replace(program, operations=tuple(operations), outputs=tuple(outputs))

    return run


def _typed(value: Value, dtype: str) -> Value:
    return replace(value, dtype=dtype) if value.dtype in FLOATS else value


def _converted(operation: Operation, dtype: str, given: set[str]) -> Operation:
    def typed(value: Value) -> Value:
        return value if value.name in given else _typed(value, dtype)

    def argument(one: Argument) -> Argument:
        if isinstance(one, tuple):
            return tuple(typed(v) if isinstance(v, Value) else v for v in one)
        return typed(one) if isinstance(one, Value) else one

    inputs = {name: argument(one) for name, one in operation.inputs.items()}
    if inputs.get("dtype") in FLOATS:
        inputs["dtype"] = dtype
    return Operation(operation.kind, inputs, tuple(_typed(value, dtype) for value in operation.outputs))
