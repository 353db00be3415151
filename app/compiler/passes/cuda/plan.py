"""One run of operations while it becomes a table of steps: what lies where, which constants it needs.

Every result has a place of its own in one stretch of memory; reshapes, transposes and slices are other ways to look at
a place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.compiler.cuda.network import HEAD, KINDS, STEP
from app.compiler.program import Argument, Operation, Value

BYTES = {"fp16": 2, "bf16": 2, "fp32": 4}
_FEWEST_STEPS = 4
_MOST_NUMBERS = 2**30
_APART = 128
"""Tensors begin at multiples of so many numbers."""


@dataclass(frozen=True)
class View:
    """A tensor in memory: in the run's own or the input, from `offset` on, `strides` apart."""

    outside: bool
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def contiguous(self) -> bool:
        """Whether its numbers lie one after the other; the stride of an axis of size 1 is no matter."""
        return all(n == 1 or s == w for n, s, w in zip(self.shape, self.strides, rows_of(self.shape), strict=True))


def rows_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


class Refused(Exception):
    """The kernel has no step for that."""


class Plan:
    """One run while it grows."""

    def __init__(self, multiprocessors: int) -> None:
        self.multiprocessors = multiprocessors
        self._taken: list[Operation] = []
        self.views: dict[str, View] = {}
        self._input: Value | None = None
        self.dtype: str | None = None
        self._rows: list[list[int]] = []
        self._weights: list[np.ndarray] = []
        self._floats: list[np.ndarray] = []
        self._sizes = {"weights": 0, "floats": 0, "memory": 0}

    def take(self, operation: Operation, place: Step | None) -> bool:
        """Whether the operation is part of the run now, by the step that places it. When not, the plan is as before."""
        if place is None or len(operation.outputs) != 1:
            return False
        kept = (self._input, self.dtype, len(self._rows), len(self._weights), len(self._floats))
        sizes = dict(self._sizes)
        try:
            place(self, operation)
            if max(self._sizes.values()) > _MOST_NUMBERS:
                raise Refused
        except Refused:
            self._input, self.dtype = kept[:2]
            del self._rows[kept[2] :], self._weights[kept[3] :], self._floats[kept[4] :]
            self._sizes = sizes
            return False
        self._taken.append(operation)
        return True

    def closed(self, read: set[str], key: int) -> list[Operation]:
        """The run as one operation that gives what is in `read`; or as it was, when that would be no gain."""
        results = [value for operation in self._taken for value in operation.outputs if value.name in read]
        views = [self.views[value.name] for value in results]
        fits = all(view.contiguous and not view.outside for view in views)
        if len(self._rows) < _FEWEST_STEPS or not fits or self._input is None or not results:
            return self._taken
        self._rows[0][HEAD - 1] = len(self._rows)
        inputs: dict[str, Argument] = {
            "x": self._input,
            "weights": np.concatenate(self._weights or [np.zeros(1, np.float32)]),
            "floats": np.concatenate(self._floats or [np.zeros(4, np.float32)]),
            "table": np.array(self._rows, np.int64).reshape(-1),
            "size": self._sizes["memory"],
            "places": np.array([view.offset for view in views]),
            "key": key,
            "shapes": np.array([n for value in results for n in (len(value.shape), *value.shape)]),
        }
        return [Operation("fused_network", inputs, tuple(results))]

    def view(self, argument: Argument | None) -> View:
        """Where the argument lies. Only one tensor comes from outside."""
        if not isinstance(argument, Value):
            raise Refused
        if argument.name not in self.views:
            if argument.dtype not in BYTES or (self._input and self._input.name != argument.name):
                raise Refused
            self._input = argument
            self.typed(argument)
            return View(True, 0, argument.shape, rows_of(argument.shape))
        return self.views[argument.name]

    def whole(self, argument: Argument | None) -> View:
        view = self.view(argument)
        if not view.contiguous:
            raise Refused
        return view

    def typed(self, value: Value) -> None:
        if self.dtype not in (None, value.dtype) or value.dtype not in BYTES:
            raise Refused
        self.dtype = value.dtype

    def vectors(self, channels: int) -> int:
        """How many vectors of 16 bytes that many channels fill."""
        size = channels * BYTES[self.dtype or "fp32"]
        if size % 16:
            raise Refused
        return size // 16

    def weight(self, argument: Argument | None) -> int:
        if not isinstance(argument, np.ndarray):
            raise Refused
        return self._keep("weights", self._weights, argument, _APART)

    def vector(self, argument: Argument | None) -> int:
        """Where the float32 numbers lie; none: somewhere."""
        return self._keep("floats", self._floats, argument, 4) if isinstance(argument, np.ndarray) else 0

    def _keep(self, what: str, parts: list[np.ndarray], constant: np.ndarray, apart: int) -> int:
        place, flat = self._sizes[what], np.asarray(constant, np.float32).reshape(-1)
        padded = -(-flat.size // apart) * apart
        parts.append(np.concatenate([flat, np.zeros(padded - flat.size, np.float32)]))
        self._sizes[what] += padded
        return place

    def result(self, output: Value, shape: tuple[int, ...] | None = None) -> View:
        """A new place for the output, which lies there in the order of `shape`."""
        self.typed(output)
        place = self._sizes["memory"]
        self._sizes["memory"] += -(-math.prod(output.shape) // _APART) * _APART
        shape = shape or output.shape
        view = View(False, place, shape, rows_of(shape))
        self.views[output.name] = view
        return view

    def step(
        self,
        kind: str,
        pieces: int,
        reads: tuple[View, ...],
        out: View,
        numbers: list[int],
        constants: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        three = [*reads, *[reads[0]] * (3 - len(reads))]
        head = [KINDS.index(kind), pieces]
        for view in three:
            head += [int(view.outside), view.offset]
        row = [*head, *constants, out.offset]
        row += [0] * (HEAD - len(row)) + numbers
        self._rows.append(row + [0] * (STEP - len(row)))


Step = Callable[[Plan, Operation], None]
"""Appends what an operation needs to the plan. Raises Refused where the kernel has no step for it."""
