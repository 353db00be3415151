"""Blocks inside operations (`cond`, `while_loop`) put in line, for our program is a straight list.

A branch that is known beforehand is taken. Of two that only the input tells apart both are computed, and `select`
chooses; MIL's operations have no effect beside their results, but for writing a state. A loop whose condition follows
from constants is written out, turn by turn; what it counts with is evaluated by the lowerings themselves. A state is a
value that is followed from its reading to its last writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.compiler.ops.registry import NotCovered
from app.compiler.passes.constants import evaluated
from app.compiler.program import Argument, Operation, Value
from app.compiler.reading.pymil import argument_of, operation_of, value_of

_TURNS, _OPERATIONS = 3000, 20_000
"""Of all loops together. Networks for images turn a few dozen times; these take some seconds to write out."""
_UPDATE, _READ = "coreml_update_state", "read_state"
"""What coremltools' loader makes of reading and writing a state (`write_state` becomes the first)."""

Known = dict[str, Argument]
"""Name in the file -> what stands for it: a value of the straight list, or a constant."""


class Line:
    """The straight list while it grows. `states` are the names of a function's states."""

    def __init__(self, states: Sequence[str] = ()) -> None:
        self.operations: list[Operation] = []
        self.known: Known = {}
        self._states = states
        self._makers: dict[str, Operation] = {}
        self._evaluated: dict[str, np.ndarray | None] = {}
        self._copies = self._turns = 0

    def append(self, operations: Iterable[Any]) -> None:
        """Append the operations of a function's own block, as pymil has them.

        Raises NotCovered for a loop whose trip count only the input tells or that is too long to be written out, and
        for branches that only the input tells apart and that differ in shape or write a state.
        """
        self._append(operations, self.known, inside=False)

    def given(self, var: Any) -> Value:
        """What an output of the function gives; a constant becomes an operation's result."""
        one = _now(argument_of(var), self.known)
        if isinstance(one, Value):
            return one
        made = Value(f"{var.name} given", value_of(var).shape, value_of(var).dtype)
        self.operations.append(Operation("identity", {"x": one}, (made,)))
        return made

    def _append(self, operations: Iterable[Any], known: Known, inside: bool) -> None:
        for op in operations:
            if op.op_type in ("const", "classify") or op.op_type.startswith("constexpr_"):
                continue
            if op.op_type == "cond":
                self._branch(op, known)
            elif op.op_type == "while_loop":
                self._loop(op, known)
            elif op.op_type == _READ:
                known[op.outputs[0].name] = known.get(op.input.name, value_of(op.input))
            elif op.op_type == _UPDATE:
                known[op.state.name] = known[op.outputs[0].name] = _now(argument_of(op.value), known)
            else:
                self._one(operation_of(op).reading(known), known, inside)

    def _one(self, operation: Operation, known: Known, inside: bool) -> None:
        if inside:
            # A block may be written out many times, and its names may be those of another one.
            self._copies += 1
            copies = tuple(replace(v, name=f"{v.name} in block {self._copies}") for v in operation.outputs)
            known.update({v.name: copy for v, copy in zip(operation.outputs, copies, strict=True)})
            operation = replace(operation, outputs=copies)
        self.operations.append(operation)
        self._makers.update({value.name: operation for value in operation.outputs})

    def _block(self, block: Any, known: Known, inputs: Sequence[Argument] = ()) -> list[Argument]:
        """Append the operations of a block; what it gives."""
        within = {**known, **{var.name: one for var, one in zip(block.inputs, inputs, strict=True)}}
        self._append(block.operations, within, inside=True)
        known.update({state: within[state] for state in self._states if state in within})
        return [_now(argument_of(var), within) for var in block.outputs]

    def _branch(self, op: Any, known: Known) -> None:
        pred = _now(argument_of(op.pred), known)
        taken = self._constant(pred)
        if taken is not None:
            gives = self._block(op.blocks[0 if _truth(taken, "cond") else 1], known)
            known.update({var.name: one for var, one in zip(op.outputs, gives, strict=True)})
            return
        if any(_writes(block) for block in op.blocks):
            raise NotCovered("cond (a state written in a branch that is chosen at run time)")
        first, second = (self._block(block, known) for block in op.blocks)
        for var, a, b in zip(op.outputs, first, second, strict=True):
            value = value_of(var)
            if not _shape(a) == _shape(b) == value.shape:
                raise NotCovered("cond (branches of different shapes)")
            # `inside`: where the operation itself stands in a block, its name may be taken.
            self._one(Operation("select", {"cond": pred, "a": a, "b": b}, (value,)), known, inside=True)

    def _loop(self, op: Any, known: Known) -> None:
        condition, body = op.blocks
        variables = [_now(argument_of(var), known) for var in op.loop_vars]
        while True:
            before = len(self.operations)
            (goes_on,) = self._block(condition, known, variables)
            turn = self._constant(goes_on)
            if turn is None:
                raise NotCovered("while_loop (trip count known only at run time)")
            # Nothing else reads what the condition computed.
            del self.operations[before:]
            if not _truth(turn, "while_loop"):
                known.update({var.name: one for var, one in zip(op.outputs, variables, strict=True)})
                return
            variables = self._block(body, known, variables)
            self._turns += 1
            if self._turns > _TURNS or len(self.operations) > _OPERATIONS:
                raise NotCovered("while_loop (too many turns to be written out)")

    def _constant(self, argument: Argument) -> np.ndarray | None:
        """The argument's numbers where they follow from constants alone."""
        if not isinstance(argument, Value):
            return np.asarray(argument)
        # By a list of its own instead of recursion, for a counter's history may be long.
        waiting = [argument.name]
        while waiting:
            name = waiting[-1]
            maker = self._makers.get(name)
            missing = [v.name for v in maker.values() if v.name not in self._evaluated] if maker else []
            waiting += missing
            if missing:
                continue
            waiting.pop()
            if name not in self._evaluated:
                self._evaluate(name, maker)
        return self._evaluated[argument.name]

    def _evaluate(self, name: str, maker: Operation | None) -> None:
        """Note the results of the operation that makes `name`, or that they depend on an input."""
        if maker is None:
            self._evaluated[name] = None
            return
        read = {v.name: self._evaluated[v.name] for v in maker.values()}
        known = {name: one for name, one in read.items() if one is not None}
        results = evaluated(maker.reading(known)) if len(known) == len(read) else None
        for i, value in enumerate(maker.outputs):
            self._evaluated[value.name] = results[i] if results else None


def _now(argument: Argument, known: Known) -> Argument:
    """What stands for the argument."""
    if isinstance(argument, Value):
        return known.get(argument.name, argument)
    if isinstance(argument, tuple):
        return tuple(_now(one, known) for one in argument)  # type: ignore[misc]
    return argument


def _truth(decides: np.ndarray, kind: str) -> bool:
    """Raises NotCovered where it is not one value, which only a file that contradicts itself has."""
    if decides.size != 1:
        raise NotCovered(f"{kind} (decided by {decides.size} values)")
    return bool(decides.item())


def _shape(argument: Argument) -> tuple[int, ...]:
    return argument.shape if isinstance(argument, Value) else np.shape(argument)  # type: ignore[arg-type]


def _writes(block: Any) -> bool:
    return any(op.op_type == _UPDATE or any(_writes(inner) for inner in op.blocks) for op in block.operations)
