"""Where the channels stand.

MIL puts them second, MLX's convolutions want them last. The plan is made once for the whole program: a value that a
convolution, a pooling or the like makes stays *turned* (channels last) through everything that does not care, and is
turned back only where an operation needs the axes as MIL counts them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.compiler.ops.registry import TABLE, Axes
from app.compiler.program import Argument, Operation, Program, Value


def channels_last(program: Program) -> Program:
    """Before: every value as MIL declares it. After: turned values where that saves transposes; results the same."""
    plan = _Plan()
    for operation in program.operations:
        plan.place(operation)
    outputs = tuple((name, plan.declared(value)) for name, value in program.outputs)
    return replace(program, operations=tuple(plan.operations), outputs=outputs)


def _last(rank: int) -> tuple[int, ...]:
    """The permutation to channels last: N, space, C."""
    return (0, *range(2, rank), 1)


def _first(rank: int) -> tuple[int, ...]:
    """The permutation back to N, C, space."""
    return (0, rank - 1, *range(1, rank - 1))


def _permuted(shape: tuple[int, ...], order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in order)


class _Plan:
    """The new program while it grows."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._turned: dict[str, Value] = {}
        """Declared name -> the value in channels-last form, for those that have one."""
        self._declared: dict[str, Value] = {}
        """Declared name -> the value as declared, for turned ones that were turned back, and for renamed ones."""

    def place(self, operation: Operation) -> None:
        """Append the operation in the form that suits what it reads."""
        axes = TABLE[operation.kind].axes
        special = _SPECIAL.get(operation.kind)
        if operation.kind == "image" or (axes is Axes.SPATIAL and _rank(operation) >= 3):
            self._spatial(operation)
        elif not any(value.name in self._turned for value in operation.values()):
            if not self._turned_already(operation):
                self._as_declared(operation)
        elif special:
            special(self, operation)
        elif axes is Axes.ELEMENTWISE:
            self._elementwise(operation)
        elif axes is Axes.NAMED:
            self._named(operation)
        else:
            self._as_declared(operation)

    def declared(self, value: Value) -> Value:
        """The value in MIL's own order, turned back if it has to be."""
        if value.name in self._declared:
            return self._declared[value.name]
        if value.name not in self._turned:
            return value
        back = replace(value, name=f"{value.name} channels first")
        self._append("transpose", {"x": self._turned[value.name], "perm": np.array(_first(len(value.shape)))}, (back,))
        self._declared[value.name] = back
        return back

    def turned(self, value: Value) -> Value:
        """The value with channels last, turned if it has to be."""
        if value.name not in self._turned:
            order = _last(len(value.shape))
            turned = replace(value, name=f"{value.name} channels last", shape=_permuted(value.shape, order))
            self._append("transpose", {"x": self.declared(value), "perm": np.array(order)}, (turned,))
            self._turned[value.name] = turned
        return self._turned[value.name]

    def _append(self, kind: str, inputs: dict[str, Argument], outputs: tuple[Value, ...]) -> None:
        self.operations.append(Operation(kind, inputs, outputs))

    def _as_declared(self, operation: Operation) -> None:
        back = {value.name: self.declared(value) for value in operation.values()}
        self.operations.append(operation.reading(back))

    def _give_turned(self, operation: Operation, inputs: dict[str, Argument]) -> None:
        outputs = []
        for value in operation.outputs:
            turned = replace(value, shape=_permuted(value.shape, _last(len(value.shape))))
            self._turned[value.name] = turned
            outputs.append(turned)
        self._append(operation.kind, inputs, tuple(outputs))

    def _turned_already(self, operation: Operation) -> bool:
        """A file that keeps channels last itself turns them back before a convolution: what it turns is what we want.

        Only from four axes on; with three the same permutation turns the factors of matrix products.
        """
        x = operation.value("x")
        if operation.kind != "transpose" or x is None or len(x.shape) < 4:
            return False
        if tuple(axis % len(x.shape) for axis in operation.numbers("perm")) != _first(len(x.shape)):
            return False
        self._turned[operation.output.name] = self.declared(x)
        return True

    def _spatial(self, operation: Operation) -> None:
        inputs: dict[str, Argument] = {**operation.inputs, "channels_last": True}
        # What is neither image nor kernel (boxes, coordinates, a bias) has axes of its own.
        others = operation.inputs.keys() - {"x", "weight"}
        inputs |= {n: self.declared(one) for n in others if isinstance(one := operation.inputs[n], Value)}
        if operation.kind != "image":
            inputs["x"] = self._turned_argument(operation.inputs["x"], _rank(operation))
        if "weight" in inputs:
            inputs["weight"] = self._turned_argument(inputs["weight"], _rank(operation))
        self._give_turned(operation, inputs)

    def _resized(self, operation: Operation) -> None:
        """Takes `channels_last` but gains nothing by it. Crops of every image have an axis more, and no channels."""
        if len(operation.output.shape) == _rank(operation):
            self._spatial(operation)
        else:
            self._as_declared(operation)

    def _quantized(self, operation: Operation) -> None:
        x = operation.value("input")
        assert x is not None
        inputs: dict[str, Argument] = {**operation.inputs, "input": self.turned(x)}
        if axis := operation.numbers("axis"):
            inputs["axis"] = _last(len(x.shape)).index(axis[0] % len(x.shape))
        self._give_turned(operation, inputs)

    def _elementwise(self, operation: Operation) -> None:
        rank = len(operation.output.shape)
        self._give_turned(operation, {n: self._turned_argument(a, rank) for n, a in operation.inputs.items()})

    def _turned_argument(self, argument: Argument, rank: int) -> Argument:
        """A tensor that broadcasts to `rank` axes, turned; a plain number or text as it is."""
        if isinstance(argument, np.ndarray) and argument.size > 1:
            return argument.reshape((1,) * (rank - argument.ndim) + argument.shape).transpose(_last(rank))
        if not isinstance(argument, Value) or not argument.shape:
            return argument
        if len(argument.shape) < rank:
            wide = replace(
                argument, name=f"{argument.name} widened", shape=(1,) * (rank - len(argument.shape)) + argument.shape
            )
            self._append("reshape", {"x": self.declared(argument), "shape": np.array(wide.shape)}, (wide,))
            argument = wide
        return self.turned(argument)

    def _named(self, operation: Operation) -> None:
        values, x = operation.inputs.get("values"), operation.value("x")
        rank = len(values[0].shape) if isinstance(values, tuple) else len(x.shape) if x else 0
        key = "axis" if "axis" in operation.inputs else "axes"
        named = [axis % rank for axis in operation.numbers(key, tuple(range(rank)))]
        order = _last(rank)
        drops = len(operation.outputs[0].shape) < rank
        if drops:
            left, left_turned = [a for a in range(rank) if a not in named], [a for a in order if a not in named]
            if left != left_turned:
                self._as_declared(operation)
                return
        inputs: dict[str, Argument] = dict(operation.inputs)
        places = [order.index(axis) for axis in named]
        inputs[key] = places[0] if key == "axis" else np.array(places)
        if isinstance(values, tuple):
            inputs["values"] = tuple(self._turned_argument(one, rank) for one in values)  # type: ignore[misc]
        else:
            inputs["x"] = self._turned_argument(operation.inputs["x"], rank)
        if drops:
            self._append(operation.kind, inputs, operation.outputs)
        else:
            self._give_turned(operation, inputs)

    def _pad(self, operation: Operation) -> None:
        rank, amounts = _rank(operation), operation.numbers("pad")
        pairs = [(0, 0)] * (rank - len(amounts) // 2)
        pairs += [(amounts[i], amounts[i + 1]) for i in range(0, len(amounts), 2)]
        turned = np.array([pairs[axis] for axis in _last(rank)]).reshape(-1)
        self._give_turned(
            operation, {**operation.inputs, "x": self._turned_argument(operation.inputs["x"], rank), "pad": turned}
        )

    def _transpose(self, operation: Operation) -> None:
        rank, x = _rank(operation), operation.value("x")
        assert x is not None
        order = _last(rank)
        perm = tuple(order.index(axis % rank) for axis in operation.numbers("perm"))
        if perm == tuple(range(rank)):
            self._declared[operation.output.name] = self._turned[x.name]
        else:
            self._append("transpose", {"x": self._turned[x.name], "perm": np.array(perm)}, operation.outputs)

    def _reshape(self, operation: Operation) -> None:
        """Space flattened or unflattened behind N and C, or of one pixel: the numbers keep their order in memory."""
        x, output = operation.value("x"), operation.output
        assert x is not None
        shape = output.shape
        same_front = len(shape) > 2 and shape[:2] == x.shape[:2]
        if same_front:
            turned = replace(output, shape=_permuted(shape, _last(len(shape))))
            self._append(
                "reshape", {"x": self._turned[x.name], "shape": self._free_first(operation, turned)}, (turned,)
            )
            self._turned[output.name] = turned
        elif all(n == 1 for n in x.shape[2:]):
            # One pixel: channels last and first are the same numbers in the same order.
            inputs: dict[str, Argument] = {"x": self._turned[x.name], "shape": self._free_first(operation, output)}
            self._append("reshape", inputs, (output,))
        else:
            self._as_declared(operation)

    def _free_first(self, operation: Operation, output: Value) -> np.ndarray:
        """The shape of `output`; where the operation leaves its first axis open it stays so."""
        first = operation.numbers("shape", output.shape)[0] if operation.kind == "reshape" else output.shape[0]
        return np.array([first, *output.shape[1:]] if first == -1 else output.shape)

    def _norm(self, operation: Operation) -> None:
        """Axes with a gamma over them: the same numbers where they keep their order, as a single one always does."""
        rank = _rank(operation)
        axes = [axis % rank for axis in operation.numbers("axes", tuple(range(rank)))]
        order = _last(rank)
        places = [order.index(axis) for axis in sorted(axes)]
        if places != sorted(places) and operation.inputs.keys() & {"gamma", "beta"}:
            self._as_declared(operation)
            return
        x = self._turned_argument(operation.inputs["x"], rank)
        self._give_turned(operation, {**operation.inputs, "x": x, "axes": np.array(sorted(places))})

    def _listed(self, operation: Operation) -> None:
        """Lists with one entry an axis, which are put into the order of the turned axes."""
        rank = _rank(operation)
        lists = {name: operation.constant(name) for name in _LISTS if name in operation.inputs}
        if len(operation.output.shape) != rank or any(one is None or len(one) != rank for one in lists.values()):
            self._as_declared(operation)
            return
        inputs: dict[str, Argument] = {**operation.inputs, "x": self._turned_argument(operation.inputs["x"], rank)}
        for name, one in lists.items():
            assert one is not None
            inputs[name] = one[list(_last(rank))]
        self._give_turned(operation, inputs)


def _rank(operation: Operation) -> int:
    x = operation.value("x")
    return len(x.shape) if x else 0


_LISTS = ("begin", "end", "stride", "begin_mask", "end_mask", "squeeze_mask", "size", "reps")
"""Inputs with one entry an axis of x."""

_SPECIAL: dict[str, Callable[[_Plan, Operation], None]] = {
    "pad": _Plan._pad,
    "transpose": _Plan._transpose,
    "reshape": _Plan._reshape,
    "expand_dims": _Plan._reshape,
    "squeeze": _Plan._reshape,
    "layer_norm": _Plan._norm,
    "rms_norm": _Plan._norm,
    "slice_by_index": _Plan._listed,
    "slice_by_size": _Plan._listed,
    "tile": _Plan._listed,
    "l2_norm": _Plan._resized,
    "crop": _Plan._resized,
    "resize": _Plan._resized,
    "resize_bilinear": _Plan._resized,
    "resize_nearest_neighbor": _Plan._resized,
    "upsample_bilinear": _Plan._resized,
    "upsample_nearest_neighbor": _Plan._resized,
    "affine": _Plan._resized,
    "resample": _Plan._resized,
    "crop_resize": _Plan._resized,
    "quantize": _Plan._quantized,
    "dequantize": _Plan._quantized,
}
"""Operations that name axes in a way of their own."""
