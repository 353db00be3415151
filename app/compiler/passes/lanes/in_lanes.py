"""A program cut into parts that run side by side on several threads.

MLX's CPU back end runs one operation after the other on one thread of each stream; only the matrix products inside use
more. So the heavy values of a program are cut along one axis (images, rows of a picture, tokens, heads), every lane has
its part, and parts meet only where an operation really needs them together: rows of the neighbour under a convolution's
window, all keys and values in attention. `build.py` gives each lane a stream of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from app.compiler.program import Argument, Operation, Program, Value

SMALLEST = 8192
"""Operations on fewer elements are not cut: that would cost more than it saves, some microseconds an operation."""

LARGEST = 200_000
"""A lane's part is cut again until its pieces have no more elements: 800 kB, a few of which fit into a core's cache.
Smaller pieces are faster in themselves, but each operation costs the dispatching thread several microseconds."""


@dataclass(frozen=True)
class Parts:
    """A value in pieces along one axis."""

    axis: int
    values: tuple[Value, ...]

    @property
    def bounds(self) -> tuple[int, ...]:
        """Where each piece begins, and the end of the last."""
        return tuple(accumulate((value.shape[self.axis] for value in self.values), initial=0))


class Plan:
    """The program while it grows. Every value is there as a whole, in parts, or both."""

    def __init__(self, lanes: int, program: Program) -> None:
        self.lanes = lanes
        self._readers: dict[str, list[Operation | None]] = {}
        """Who reads a value; None stands for the caller of the program."""
        for operation in program.operations:
            for value in operation.values():
                self._readers.setdefault(value.name, []).append(operation)
        for _, value in program.outputs:
            self._readers.setdefault(value.name, []).append(None)
        self.operations: list[Operation] = []
        self.parts: dict[str, Parts] = {}
        self._whole: dict[str, Value] = {}
        self._cut: dict[tuple[str, int, int, int], Value] = {}
        """Name, axis, start and stop -> a piece that was made already."""

    def known(self, value: Value) -> None:
        """The value is there as a whole."""
        self._whole[value.name] = value

    def whole(self, value: Value) -> Value:
        """The value in one piece, put together if it has to be."""
        if value.name not in self._whole:
            parts = self.parts[value.name]
            self.append("concat", {"values": parts.values, "axis": parts.axis}, (value,), 0)
            self._whole[value.name] = value
        return self._whole[value.name]

    def append(self, kind: str, inputs: dict[str, Argument], outputs: tuple[Value, ...], lane: int) -> None:
        """Add an operation that runs on a lane."""
        self.operations.append(Operation(kind, inputs, outputs, lane))

    def only_reader(self, value: Value) -> Operation | None:
        """The operation that reads the value, when it is the only one."""
        readers = self._readers.get(value.name, [])
        return readers[0] if len(readers) == 1 else None

    def bounds(self, size: int, elements: int = 0) -> tuple[int, ...]:
        """How an axis of that size is cut when the whole has so many elements: where parts begin, and the end."""
        pieces = self.lanes * max(1, -(-elements // (LARGEST * self.lanes)))
        count = min(pieces, size // self.lanes * self.lanes)
        return tuple(round(i * size / count) for i in range(count + 1))

    def finer(self, bounds: tuple[int, ...], elements: int) -> tuple[int, ...]:
        """The same parts, cut again where the whole has so many elements that they are too large."""
        longest = max(stop - start for start, stop in pairwise(bounds))
        times = min(longest, -(-elements * longest // (bounds[-1] * LARGEST)))
        if times < 2:
            return bounds
        steps = {round(start + i * (stop - start) / times) for start, stop in pairwise(bounds) for i in range(times)}
        return tuple(sorted({*steps, bounds[-1]}))

    def lane(self, part: int, parts: int) -> int:
        """Which lane has that part."""
        return part * self.lanes // parts

    def piece(self, value: Value, axis: int, start: int, stop: int, lane: int) -> Value:
        """The value from `start` to `stop` along an axis, for a lane."""
        if (start, stop) == (0, value.shape[axis]):
            return self.whole(value)
        parts = self.parts.get(value.name)
        if parts is None or parts.axis != axis:
            return self._sliced(self.whole(value), axis, start, stop, lane)
        pieces = []
        for part, (begin, end) in zip(parts.values, pairwise(parts.bounds), strict=True):
            low, high = max(start, begin), min(stop, end)
            if (low, high) == (begin, end):
                pieces.append(part)
            elif low < high:
                pieces.append(self._sliced(part, axis, low - begin, high - begin, lane))
        if len(pieces) == 1:
            return pieces[0]
        key = (value.name, axis, start, stop)
        if key not in self._cut:
            joined = _resized(value, axis, stop - start, f"{start} to {stop}")
            self.append("concat", {"values": tuple(pieces), "axis": axis}, (joined,), lane)
            self._cut[key] = joined
        return self._cut[key]

    def give(self, value: Value, axis: int, pieces: tuple[Value, ...]) -> None:
        """The value is there in these parts."""
        self.parts[value.name] = Parts(axis, pieces)

    def _sliced(self, value: Value, axis: int, start: int, stop: int, lane: int) -> Value:
        key = (value.name, axis, start, stop)
        if key not in self._cut:
            rank = len(value.shape)
            begin, end = [0] * rank, list(value.shape)
            begin[axis], end[axis] = start, stop
            piece = _resized(value, axis, stop - start, f"{start} to {stop}")
            self.append("slice_by_index", {"x": value, "begin": np.array(begin), "end": np.array(end)}, (piece,), lane)
            self._cut[key] = piece
        return self._cut[key]

    def in_turns(self, parts: int) -> list[int]:
        """The parts in an order in which every lane soon has something to do."""
        each = -(-parts // self.lanes)
        return sorted(range(parts), key=lambda part: (part - self.lane(part, parts) * each, part))


def part_of(value: Value, axis: int, start: int, stop: int) -> Value:
    """How a part of a value is called, and its shape."""
    return _resized(value, axis, stop - start, f"part {start} to {stop}")


def in_lanes(program: Program, lanes: int) -> Program:
    """Before: all operations on lane 0. After: the heavy ones once a lane, each on a part of what they read."""
    from app.compiler.passes.lanes.rules import rule_for

    if lanes < 2:
        return program
    plan = Plan(lanes, program)
    for value in program.inputs:
        plan.known(value)
    for operation in program.operations:
        rule = rule_for(operation)
        if rule is None or not rule(operation, plan):
            wholes = {value.name: plan.whole(value) for value in operation.values()}
            plan.operations.append(operation.reading(wholes))
            for value in operation.outputs:
                plan.known(value)
    for _, value in program.outputs:
        plan.whole(value)
    return replace(program, operations=tuple(plan.operations))


def _resized(value: Value, axis: int, size: int, what: str) -> Value:
    shape = (*value.shape[:axis], size, *value.shape[axis + 1 :])
    return replace(value, name=f"{value.name} {what}", shape=shape)
