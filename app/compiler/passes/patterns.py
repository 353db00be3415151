"""Finding groups of operations that together do what one operation does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from app.compiler.passes.cleanup import drop_unread
from app.compiler.program import Argument, Operation, Program, Value


@dataclass(frozen=True, eq=False)
class Found:
    """`instead` takes the place of the operation where the search began; `inner` are the others that it stands for."""

    instead: tuple[Operation, ...]
    inner: tuple[Operation, ...]


class Graph:
    """Who makes a value, and how often it is read."""

    def __init__(self, program: Program) -> None:
        self.makers = program.makers()
        self.readers = program.readers()

    def maker(self, argument: Argument | None, *kinds: str) -> Operation | None:
        """The operation that makes the argument, if it is of one of these kinds."""
        made = self.makers.get(argument.name) if isinstance(argument, Value) else None
        return made if made and made.kind in kinds else None

    def closed(self, root: Operation, inner: Iterable[Operation]) -> bool:
        """Whether nothing but `root` and `inner` reads what `inner` makes."""
        group = {id(operation): operation for operation in (root, *inner)}.values()
        reads = Counter(value.name for operation in group for value in operation.values())
        made = [value.name for operation in group if operation is not root for value in operation.outputs]
        return all(self.readers.get(name, 0) == reads[name] for name in made)


Search = Callable[[Graph, Operation], Found | None]


def rewrite(program: Program, search: Search) -> Program:
    """The program with everything replaced that `search` finds and that no other operation looks into."""
    graph = Graph(program)
    operations: list[Operation] = []
    changed = False
    for operation in program.operations:
        found = search(graph, operation)
        if found is not None and graph.closed(operation, found.inner):
            operations.extend(found.instead)
            changed = True
        else:
            operations.append(operation)
    return drop_unread(replace(program, operations=tuple(operations))) if changed else program


def either_order(operation: Operation) -> Iterator[tuple[Argument, Argument]]:
    """Both inputs of an operation in which they may change places."""
    x, y = operation.inputs["x"], operation.inputs["y"]
    yield x, y
    yield y, x


def scalar(argument: Argument | None) -> float | None:
    """The number of a constant that holds only one."""
    if isinstance(argument, Value | str | tuple | None) or np.size(argument) != 1:
        return None
    return float(np.asarray(argument).reshape(()))


def is_number(argument: Argument | None, wanted: float) -> bool:
    """Whether the argument is the constant `wanted`, as well as its own type can say it.

    That is exactly, or to one unit in the last place where the type has no such number.
    """
    given = scalar(argument)
    if given is None:
        return False
    dtype = np.asarray(argument).dtype
    if not np.issubdtype(dtype, np.floating) or float(np.asarray(wanted, dtype)) == wanted:
        return given == wanted
    # A file in fp16 may have been made by rounding an fp32 constant of a value that was computed in fp16.
    return abs(given - wanted) <= float(np.finfo(dtype).eps) * abs(wanted)


def same(a: Argument | None, b: Argument | None) -> bool:
    """Whether both are one value."""
    return isinstance(a, Value) and isinstance(b, Value) and a.name == b.name
