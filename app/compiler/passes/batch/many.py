"""The program for N images while it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from app.compiler.passes.batch.seat import LEAD, Seat, after, real_shape
from app.compiler.program import Argument, Operation, Value


class Many:
    """Values are asked for as the program for one image declares them."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.operations: list[Operation] = []
        self._seats: dict[str, Seat] = {}
        self._moved: dict[tuple[str, Seat], Value] = {}
        """A value in another seat than its own, once it was moved there."""

    def begin(self, value: Value) -> Value:
        """An input, held with its images one after the other on the first axis."""
        seat = Seat(0, value.shape[0]) if value.shape else LEAD
        self._seats[value.name] = seat
        return self._real(value, seat)

    def seat(self, argument: Argument | None) -> Seat | None:
        """Where the images are; None for what is the same for all of them."""
        return self._seats.get(argument.name) if isinstance(argument, Value) else None

    def place(self, operation: Operation, seats: Sequence[Seat], **changed: Argument) -> None:
        """Append the operation with its values as they are now, but for what `changed` says; its results sit there."""
        now = {value.name: self.now(value) for value in operation.values()}
        inputs = {**operation.reading(now).inputs, **changed}
        outputs = tuple(self._real(value, seat) for value, seat in zip(operation.outputs, seats, strict=True))
        self.operations.append(Operation(operation.kind, inputs, outputs))
        self._seats.update({value.name: seat for value, seat in zip(operation.outputs, seats, strict=True)})

    def rename(self, made: Value, result: Value, seat: Seat) -> None:
        """`made`, whose numbers stand in order, is what the program for one calls `result`, in this seat."""
        shape = np.array(real_shape(result.shape, seat, self.batch), dtype=np.int64)
        self.operations.append(Operation("reshape", {"x": made, "shape": shape}, (self._real(result, seat),)))
        self._seats[result.name] = seat

    def now(self, value: Value) -> Value:
        """The value as it is for N images."""
        seat = self._seats.get(value.name)
        return value if seat is None else self._real(value, seat)

    def moved(self, value: Value, seat: Seat) -> Value:
        """The value in another seat: a reshape where the order of numbers stays, else a transpose between two."""
        own = self._seats[value.name]
        if own == seat:
            return self.now(value)
        if (value.name, seat) not in self._moved:
            total, here, there = prod(value.shape), after(value.shape, own), after(value.shape, seat)
            made = self.now(value)
            if here != there:
                made = self._turned(self.reshaped(made, (total // here, self.batch, here)))
                made = self._turned(self.reshaped(made, (self.batch, total // there, there)))
            self._moved[value.name, seat] = self.reshaped(made, real_shape(value.shape, seat, self.batch))
        return self._moved[value.name, seat]

    def repeated(self, argument: Value | np.ndarray, seat: Seat) -> Value | np.ndarray:
        """What is the same for all images, once for each of them, as if it sat in `seat`."""
        shape = argument.shape
        following = after(shape, seat)
        apart, reps = (prod(shape) // following, 1, following), (1, self.batch, 1)
        together = real_shape(shape, seat, self.batch)
        if isinstance(argument, np.ndarray):
            return np.tile(argument.reshape(apart), reps).reshape(together)
        flat = self.reshaped(argument, apart)
        tiled = self.add("tile", {"x": flat, "reps": np.array(reps)}, (apart[0], self.batch, following), flat)
        return self.reshaped(tiled, together)

    def reshaped(self, value: Value, shape: Sequence[int]) -> Value:
        """The same numbers in order, in another shape."""
        if value.shape == tuple(shape):
            return value
        return self.add("reshape", {"x": value, "shape": np.array(shape, dtype=np.int64)}, shape, value)

    def add(self, kind: str, inputs: Mapping[str, Argument], shape: Sequence[int], like: Value) -> Value:
        """Append an operation that the program for one has not; its result has the type of `like`."""
        made = Value(f"{like.name} ~{len(self.operations)}", tuple(shape), like.dtype)
        self.operations.append(Operation(kind, inputs, (made,)))
        return made

    def in_front(self, value: Value) -> Value:
        """An output as it leaves: the images one after the other on the first axis."""
        seat = Seat(0, value.shape[0]) if value.shape else LEAD
        if value.name in self._seats:
            return self.moved(value, seat)
        copies = self.repeated(value, seat)
        assert isinstance(copies, Value)
        return copies

    def _turned(self, value: Value) -> Value:
        """The first two of three axes in the other order."""
        a, b, c = value.shape
        if 1 in (a, b):
            return self.reshaped(value, (b, a, c))
        return self.add("transpose", {"x": value, "perm": np.array([1, 0, 2])}, (b, a, c), value)

    def _real(self, value: Value, seat: Seat) -> Value:
        return replace(value, shape=real_shape(value.shape, seat, self.batch))
