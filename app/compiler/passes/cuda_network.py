"""Runs of operations that one kernel works through on an NVIDIA GPU: the table of its steps, and where tensors lie.

Every result has a place of its own in one stretch of memory; reshapes, transposes and slices are other ways to look at
a place. What the kernel cannot do ends a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.compiler.cuda.geometry import (
    BIAS,
    FACTOR,
    RESIDUAL,
    RESIDUAL_FIRST,
    Window,
    bits,
    depthwise_numbers,
    product_numbers,
)
from app.compiler.cuda.geometry import window as window_of
from app.compiler.cuda.network import HEAD, KINDS, LONGEST_ROW, STEP
from app.compiler.padding import resolve
from app.compiler.passes.patterns import scalar
from app.compiler.program import Argument, Operation, Program, Value

_BYTES = {"fp16": 2, "bf16": 2, "fp32": 4}
_FEWEST_STEPS = 4
_MOST_PRODUCTS = 6_000_000_000
"""Above that many multiplications each operation is better a kernel by itself: launching hides behind computing."""
_MOST_NUMBERS = 2**30
_FEW_ROWS = 8
_APART = 128
"""Tensors begin at multiples of so many numbers."""


def one_kernel(multiprocessors: int) -> Callable[[Program], Program]:
    """Before: fused operations and what stands between them. After: long runs of them are one `fused_network`."""

    def run(program: Program) -> Program:
        if sum(map(_products, program.operations)) > _MOST_PRODUCTS:
            return program
        operations: list[Operation] = []
        plan = _Plan(multiprocessors)
        for place, operation in enumerate(program.operations):
            if plan.take(operation):
                continue
            operations += plan.closed(_read_from(program, place), key=len(operations))
            plan = _Plan(multiprocessors)
            if not plan.take(operation):
                operations.append(operation)
                plan = _Plan(multiprocessors)
        operations += plan.closed(_read_from(program, len(program.operations)), key=len(operations))
        return replace(program, operations=tuple(operations))

    return run


def _products(operation: Operation) -> int:
    """How many multiplications the operation takes, as far as it has weights."""
    weight = operation.constant("weight")
    if weight is None:
        return 0
    own = weight.size if operation.kind == "fused_depthwise" else weight.size // weight.shape[0]
    size = math.prod(operation.output.shape)
    return size * own // (operation.output.shape[-1] if operation.kind == "fused_depthwise" else 1)


def _read_from(program: Program, place: int) -> set[str]:
    """The names that the operations from there on read, or that are outputs."""
    names = {value.name for operation in program.operations[place:] for value in operation.values()}
    return names | {value.name for _, value in program.outputs}


@dataclass(frozen=True)
class _View:
    """A tensor in memory: in the run's own or the input, from `offset` on, `strides` apart."""

    outside: bool
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def contiguous(self) -> bool:
        """Whether its numbers lie one after the other; the stride of an axis of size 1 is no matter."""
        return all(n == 1 or s == w for n, s, w in zip(self.shape, self.strides, _rows(self.shape), strict=True))


def _rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


class _Refused(Exception):
    """The kernel has no step for that."""


class _Plan:
    """One run while it grows."""

    def __init__(self, multiprocessors: int) -> None:
        self._multiprocessors = multiprocessors
        self._taken: list[Operation] = []
        self._views: dict[str, _View] = {}
        self._input: Value | None = None
        self._dtype: str | None = None
        self._rows: list[list[int]] = []
        self._weights: list[np.ndarray] = []
        self._floats: list[np.ndarray] = []
        self._sizes = {"weights": 0, "floats": 0, "memory": 0}

    def take(self, operation: Operation) -> bool:
        """Whether the operation is part of the run now. When not, the plan is as before."""
        place = _STEPS.get(operation.kind)
        if place is None or len(operation.outputs) != 1:
            return False
        kept = (self._input, self._dtype, len(self._rows), len(self._weights), len(self._floats))
        sizes = dict(self._sizes)
        try:
            place(self, operation)
            if max(self._sizes.values()) > _MOST_NUMBERS:
                raise _Refused
        except _Refused:
            self._input, self._dtype = kept[:2]
            del self._rows[kept[2] :], self._weights[kept[3] :], self._floats[kept[4] :]
            self._sizes = sizes
            return False
        self._taken.append(operation)
        return True

    def closed(self, read: set[str], key: int) -> list[Operation]:
        """The run as one operation that gives what is in `read`; or as it was, when that would be no gain."""
        results = [value for operation in self._taken for value in operation.outputs if value.name in read]
        views = [self._views[value.name] for value in results]
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

    def _view(self, argument: Argument | None) -> _View:
        """Where the argument lies. Only one tensor comes from outside."""
        if not isinstance(argument, Value):
            raise _Refused
        if argument.name not in self._views:
            if argument.dtype not in _BYTES or (self._input and self._input.name != argument.name):
                raise _Refused
            self._input = argument
            self._typed(argument)
            return _View(True, 0, argument.shape, _rows(argument.shape))
        return self._views[argument.name]

    def _whole(self, argument: Argument | None) -> _View:
        view = self._view(argument)
        if not view.contiguous:
            raise _Refused
        return view

    def _typed(self, value: Value) -> None:
        if self._dtype not in (None, value.dtype) or value.dtype not in _BYTES:
            raise _Refused
        self._dtype = value.dtype

    def _vectors(self, channels: int) -> int:
        """How many vectors of 16 bytes that many channels fill."""
        size = channels * _BYTES[self._dtype or "fp32"]
        if size % 16:
            raise _Refused
        return size // 16

    def _weight(self, argument: Argument | None) -> int:
        if not isinstance(argument, np.ndarray):
            raise _Refused
        return self._keep("weights", self._weights, argument, _APART)

    def _vector(self, argument: Argument | None) -> int:
        """Where the float32 numbers lie; none: somewhere."""
        return self._keep("floats", self._floats, argument, 4) if isinstance(argument, np.ndarray) else 0

    def _keep(self, what: str, parts: list[np.ndarray], constant: np.ndarray, apart: int) -> int:
        place, flat = self._sizes[what], np.asarray(constant, np.float32).reshape(-1)
        padded = -(-flat.size // apart) * apart
        parts.append(np.concatenate([flat, np.zeros(padded - flat.size, np.float32)]))
        self._sizes[what] += padded
        return place

    def _result(self, output: Value, shape: tuple[int, ...] | None = None) -> _View:
        """A new place for the output, which lies there in the order of `shape`."""
        self._typed(output)
        place = self._sizes["memory"]
        self._sizes["memory"] += -(-math.prod(output.shape) // _APART) * _APART
        shape = shape or output.shape
        view = _View(False, place, shape, _rows(shape))
        self._views[output.name] = view
        return view

    def _step(
        self,
        kind: str,
        pieces: int,
        reads: tuple[_View, ...],
        out: _View,
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

    def _product(self, operation: Operation, window: Window | None, rows: int, columns: int, depth: int) -> None:
        given = operation.inputs
        x, residual = self._whole(given["x"]), given.get("residual")
        other = self._whole(residual) if residual is not None else x
        flags = (BIAS if "bias" in given else 0) | (FACTOR if "factor" in given else 0)
        if residual is not None:
            flags |= RESIDUAL | (RESIDUAL_FIRST if given.get("residual_first") else 0)
        constants = (self._weight(given["weight"]), self._vector(given.get("bias")), self._vector(given.get("factor")))
        numbers = product_numbers(rows, columns, depth, window, flags, _activation(operation))
        out = self._result(operation.output)
        if (window is None or window.is_point) and rows <= _FEW_ROWS:
            self._step("few rows", rows * columns, (x, other), out, numbers, constants)
            return
        kind, high, wide = self._tile(rows, columns, depth)
        self._step(kind, -(-rows // high) * -(-columns // wide), (x, other), out, numbers, constants)

    def _tile(self, rows: int, columns: int, depth: int) -> tuple[str, int, int]:
        """Four tiles a block where there are enough of them or the sums are short; else the block on one, as small as
        it can be without a second turn. Starting and ending a tile takes about as long as four slices.
        """
        slices = -(-depth * _BYTES[self._dtype or "fp32"] // 128)
        if -(-rows // 64) * -(-columns // 64) >= 2 * self._multiprocessors or slices <= 2:
            return "product 64 64 alone", 64, 64

        def turns(sides: tuple[int, int]) -> tuple[int, int]:
            pieces = -(-rows // sides[0]) * -(-columns // sides[1])
            return -(-pieces // self._multiprocessors) * (4 + -(-slices // 4)), sum(sides)

        high, wide = min(((32, 32), (64, 32), (64, 64)), key=turns)
        return f"product {high} {wide} together", high, wide

    def linear(self, operation: Operation) -> None:
        """fused_linear."""
        x, columns = operation.value("x"), operation.output.shape[-1]
        if x is None:
            raise _Refused
        self._product(operation, None, math.prod(x.shape[:-1]), columns, x.shape[-1])

    def conv(self, operation: Operation) -> None:
        """fused_conv."""
        weight = operation.constant("weight")
        if weight is None:
            raise _Refused
        window = self._window(operation, weight.shape[1:3])
        rows = math.prod(operation.output.shape[:-1])
        self._product(operation, window, rows, weight.shape[0], weight.size // weight.shape[0])

    def _window(self, operation: Operation, kernel: tuple[int, ...]) -> Window:
        x = operation.value("x")
        assert x is not None
        strides, pad = operation.numbers("strides"), operation.numbers("pad")
        return window_of(x.shape, kernel, strides, pad, operation.numbers("dilations", (1, 1)))

    def depthwise(self, operation: Operation) -> None:
        """fused_depthwise with a square kernel that the network kernel holds."""
        weight = operation.constant("weight")
        if weight is None or f"depthwise {weight.shape[0]}" not in KINDS or weight.shape[0] != weight.shape[1]:
            raise _Refused
        given = operation.inputs
        x = self._whole(given["x"])
        window = self._window(operation, weight.shape[:2])
        numbers = depthwise_numbers(x.shape[0], window, "bias" in given, _activation(operation))
        constants = (self._weight(given["weight"]), self._vector(given.get("bias")), 0)
        out = self._result(operation.output)
        pieces = math.prod(out.shape[:-1]) * self._vectors(out.shape[-1])
        self._step(f"depthwise {weight.shape[0]}", pieces, (x,), out, numbers, constants)

    def mean(self, operation: Operation) -> None:
        """fused_mean."""
        x = self._whole(operation.inputs["x"])
        vectors = self._vectors(x.shape[-1])
        out = self._result(operation.output)
        self._step("mean", x.shape[0] * -(-vectors // 8), (x,), out, [x.shape[1] * x.shape[2], x.shape[3]])

    def norm(self, operation: Operation) -> None:
        """layer_norm over the last axis."""
        x = self._whole(operation.inputs["x"])
        if [axis % len(x.shape) for axis in operation.numbers("axes", (0, 1))] != [len(x.shape) - 1]:
            raise _Refused
        gamma, beta = operation.constant("gamma"), operation.constant("beta")
        self._vectors(x.shape[-1])
        if x.shape[-1] > LONGEST_ROW:
            raise _Refused
        epsilon = scalar(operation.inputs.get("epsilon", 1e-5))
        flags = (gamma is not None) | (beta is not None) * 2
        numbers = [0, x.shape[-1], flags, bits(epsilon if epsilon is not None else 1e-5)]
        rows = math.prod(x.shape[:-1])
        out = self._result(operation.output)
        self._step("layer norm", rows, (x,), out, numbers, (0, self._vector(gamma), self._vector(beta)))

    def attention(self, operation: Operation) -> None:
        """attention without a mask, of heads that the kernel holds."""
        given = operation.inputs
        q, k, v = (self._view(given[name]) for name in ("query", "key", "value"))
        depth = q.shape[-1]
        alike = len(q.shape) == 4 and v.shape[-1] == depth and f"attention {depth}" in KINDS
        dense = all(view.strides[-1] == 1 and not any(s % 2 for s in view.strides[:-1]) for view in (q, k, v))
        if not alike or not dense or "mask" in given or any(view.offset % 2 for view in (q, k, v)):
            raise _Refused
        images, heads, rows, _ = q.shape
        numbers = [images, heads, rows, k.shape[2]]
        for view in (q, k, v):
            numbers += view.strides[:3]
        numbers.append(bits(scalar(given.get("scale", 1.0)) or 0.0))
        # The kernel writes rows of all heads, as the next product wants them; the output is that, transposed.
        out = self._result(operation.output, (images, rows, heads, depth))
        order = (0, 2, 1, 3)
        self._views[operation.output.name] = replace(
            out, shape=tuple(out.shape[a] for a in order), strides=tuple(out.strides[a] for a in order)
        )
        self._step(f"attention {depth}", images * heads * -(-rows // 16), (q, k, v), out, numbers)

    def gate(self, operation: Operation) -> None:
        """mul of N, H, W, C with N, 1, 1, C."""
        for name, other in (("x", "y"), ("y", "x")):
            x, by = operation.value(name), operation.value(other)
            if x and by and len(x.shape) == 4 and by.shape == (x.shape[0], 1, 1, x.shape[3]) and x.shape != by.shape:
                whole, factors = self._whole(x), self._whole(by)
                vectors = self._vectors(x.shape[3])
                space = x.shape[1] * x.shape[2]
                out = self._result(operation.output)
                self._step("gate", x.shape[0] * space * vectors, (whole, factors), out, [x.shape[0], space, x.shape[3]])
                return
        raise _Refused

    def max_pool(self, operation: Operation) -> None:
        """max_pool over H and W, channels last."""
        x = self._whole(operation.inputs["x"])
        if len(x.shape) != 4 or not operation.inputs.get("channels_last"):
            raise _Refused
        kernel = operation.numbers("kernel_sizes")
        strides = operation.numbers("strides", (1, 1))
        pad_type = str(operation.inputs.get("pad_type", "valid"))
        pads = resolve(pad_type, operation.numbers("pad"), x.shape[1:3], kernel, strides, (1, 1))
        vectors = self._vectors(x.shape[3])
        out = self._result(operation.output)
        numbers = [x.shape[0], *x.shape[1:], *out.shape[1:3], *kernel, *strides, pads[0][0], pads[1][0]]
        self._step("max pool", math.prod(out.shape[:3]) * vectors, (x,), out, numbers)

    def reshape(self, operation: Operation) -> None:
        """The same numbers in another shape."""
        self._typed(operation.output)
        x, shape = self._whole(operation.inputs["x"]), operation.output.shape
        self._views[operation.output.name] = replace(x, shape=shape, strides=_rows(shape))

    def transpose(self, operation: Operation) -> None:
        """The axes in another order."""
        self._typed(operation.output)
        x = self._view(operation.inputs["x"])
        perm = [axis % len(x.shape) for axis in operation.numbers("perm")]
        self._views[operation.output.name] = replace(
            x, shape=tuple(x.shape[a] for a in perm), strides=tuple(x.strides[a] for a in perm)
        )

    def slice_by_index(self, operation: Operation) -> None:
        """One index of some axes, which fall away, and all of the others."""
        self._typed(operation.output)
        x = self._view(operation.inputs["x"])
        rank = len(x.shape)
        masks = {name: operation.numbers(name, (0,) * rank) for name in ("begin_mask", "end_mask", "squeeze_mask")}
        begins, ends = operation.numbers("begin"), operation.numbers("end")
        offset, left = x.offset, []
        for axis in range(rank):
            if masks["squeeze_mask"][axis]:
                offset += begins[axis] % x.shape[axis] * x.strides[axis]
                continue
            whole = (masks["begin_mask"][axis] or begins[axis] == 0) and (
                masks["end_mask"][axis] or ends[axis] >= x.shape[axis]
            )
            if not whole or operation.numbers("stride", (1,) * rank)[axis] != 1:
                raise _Refused
            left.append(axis)
        self._views[operation.output.name] = replace(
            x, offset=offset, shape=tuple(x.shape[a] for a in left), strides=tuple(x.strides[a] for a in left)
        )


def _activation(operation: Operation) -> tuple[str, float, float]:
    given = operation.inputs
    alpha, beta = scalar(given.get("alpha", 0.0)), scalar(given.get("beta", 0.0))
    return str(given.get("activation", "none")), alpha or 0.0, beta or 0.0


_STEPS: Mapping[str, Callable[[_Plan, Operation], None]] = {
    "fused_linear": _Plan.linear,
    "fused_conv": _Plan.conv,
    "fused_depthwise": _Plan.depthwise,
    "fused_mean": _Plan.mean,
    "layer_norm": _Plan.norm,
    "attention": _Plan.attention,
    "mul": _Plan.gate,
    "max_pool": _Plan.max_pool,
    "reshape": _Plan.reshape,
    "expand_dims": _Plan.reshape,
    "squeeze": _Plan.reshape,
    "transpose": _Plan.transpose,
    "slice_by_index": _Plan.slice_by_index,
}
