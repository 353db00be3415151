"""The program that the passes work on: a straight list of operations on named values.

It is the main block of a MIL program without its ceremony: constants stand where they are used, every value knows its
shape and type, nothing is mutable. `reading/legalise.py` makes it, `passes/` rewrites it, `build.py` runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

FLOATS = ("fp16", "fp32", "bf16")


@dataclass(frozen=True)
class Value:
    """What an operation gives: a tensor with a name. `dtype` is MIL's word: fp16, fp32, bf16, int32, bool, uint8."""

    name: str
    shape: tuple[int, ...]
    dtype: str


Constant = np.ndarray | str | bool | int | float
Argument = Value | Constant | tuple["Value | np.ndarray", ...]
"""Input of an operation: a value, a constant, or (concat, stack) several tensors."""


@dataclass(frozen=True, eq=False)
class Operation:
    """`kind` is MIL's op type or one that a pass made; `inputs` carry MIL's input names, without those left out."""

    kind: str
    inputs: Mapping[str, Argument]
    outputs: tuple[Value, ...]
    lane: int = 0
    """Which of the CPU's threads runs it; `passes/lanes/in_lanes.py` shares the work out."""

    @property
    def output(self) -> Value:
        """The only output."""
        (one,) = self.outputs
        return one

    def value(self, name: str) -> Value | None:
        """The input of that name when an operation makes it; None for a constant, or none."""
        argument = self.inputs.get(name)
        return argument if isinstance(argument, Value) else None

    def constant(self, name: str) -> np.ndarray | None:
        """The input of that name as an array when it is a constant number or tensor."""
        argument = self.inputs.get(name)
        return None if isinstance(argument, Value | str | tuple | None) else np.asarray(argument)

    def numbers(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """A constant list of whole numbers among the inputs; `default` when it was left out."""
        given = self.constant(name)
        return default if given is None else tuple(int(n) for n in given.reshape(-1))

    def values(self) -> Iterator[Value]:
        """The values that it reads."""
        for argument in self.inputs.values():
            for one in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(one, Value):
                    yield one

    def with_inputs(self, **changed: Argument) -> Operation:
        """The same operation with some inputs set."""
        return replace(self, inputs={**self.inputs, **changed})

    def reading(self, renamed: Mapping[str, Argument]) -> Operation:
        """The same operation reading `renamed[v.name]` where it read v."""

        def other(argument: Argument) -> Argument:
            if isinstance(argument, tuple):
                return tuple(renamed.get(v.name, v) if isinstance(v, Value) else v for v in argument)  # type: ignore[misc]
            return renamed.get(argument.name, argument) if isinstance(argument, Value) else argument

        return replace(self, inputs={name: other(argument) for name, argument in self.inputs.items()})


@dataclass(frozen=True, eq=False)
class Program:
    """Operations in an order in which they can run. `outputs` pairs the name that the model promises with its value."""

    inputs: tuple[Value, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[tuple[str, Value], ...]

    def readers(self) -> dict[str, int]:
        """How often each value is read, by an operation or as an output."""
        counts: dict[str, int] = {}
        for operation in self.operations:
            for value in operation.values():
                counts[value.name] = counts.get(value.name, 0) + 1
        for _, value in self.outputs:
            counts[value.name] = counts.get(value.name, 0) + 1
        return counts

    def makers(self) -> dict[str, Operation]:
        """The operation that makes each value."""
        return {value.name: operation for operation in self.operations for value in operation.outputs}


Pass = Callable[[Program], Program]
