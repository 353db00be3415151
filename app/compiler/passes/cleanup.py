"""What stands in the program and does nothing."""

from __future__ import annotations

from dataclasses import replace

from app.compiler.program import Argument, Operation, Program, Value


def drop_identities(program: Program) -> Program:
    """Before: identity(x), or x cast to the type that it has. After: x itself."""
    renamed: dict[str, Argument] = {}
    kept = []
    for operation in program.operations:
        operation = operation.reading(renamed)
        x = operation.value("x")
        if x and _does_nothing(operation, x):
            renamed[operation.output.name] = x
        else:
            kept.append(operation)
    return with_renamed_outputs(replace(program, operations=tuple(kept)), renamed)


def drop_unread(program: Program) -> Program:
    """Before: operations whose results nothing reads. After: without them."""
    needed = {value.name for _, value in program.outputs}
    kept = []
    for operation in reversed(program.operations):
        if any(value.name in needed for value in operation.outputs):
            needed.update(value.name for value in operation.values())
            kept.append(operation)
    return replace(program, operations=tuple(reversed(kept)))


def with_renamed_outputs(program: Program, renamed: dict[str, Argument]) -> Program:
    """The program giving `renamed[v.name]` where it gave v."""
    outputs = []
    for name, value in program.outputs:
        other = renamed.get(value.name, value)
        assert isinstance(other, Value)
        outputs.append((name, other))
    return replace(program, outputs=tuple(outputs))


def _does_nothing(operation: Operation, x: Value) -> bool:
    return operation.kind == "identity" or (operation.kind == "cast" and operation.output.dtype == x.dtype)
