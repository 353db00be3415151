"""A program that runs in lanes: its steps in order, each on the stream of its lane, and the file that keeps them.

MLX's own .mlxfn forgets which stream an operation was recorded on (mlx 0.32.4, export.cpp: all go to the first one of
the device), so the steps are kept as they are: names of lowerings, their arguments, and the tensors beside them.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx

from app.compiler.build import Function, bind, run_step
from app.compiler.ops.numbers_cpu import keeping_numbers
from app.compiler.ops.registry import TABLE
from app.compiler.program import Program, Value
from app.machine.blas import one_thread_each

_VIEWS = frozenset({"reshape", "transpose", "slice_by_index", "squeeze", "expand_dims"})
"""What moves no memory need not be started by itself."""

_streams = threading.local()


@dataclass(frozen=True)
class Step:
    """One lowering. Among the arguments a `Value` stands for what an earlier step gave, a list for several tensors."""

    kind: str
    arguments: dict[str, Any]
    outputs: tuple[str, ...]
    lane: int
    last_reads: tuple[str, ...]
    """Values that nothing reads afterwards."""


@dataclass(frozen=True)
class Schedule:
    """The steps, with constants as MLX arrays."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def function(self) -> Function:
        """The function of the inputs that gives the outputs. Each thread that calls it has streams of its own.

        Every step is started at once, so that the lanes work while the rest is being dispatched; a lazy graph is
        walked in an order that lets one lane wait for the other.
        """
        one_thread_each()
        lanes = 1 + max((step.lane for step in self.steps), default=0)
        known_kinds = [(step, TABLE[step.kind]) for step in self.steps]

        def function(*inputs: mx.array) -> tuple[mx.array, ...]:
            # A default of the caller's, the GPU say, is put back at the end; so is the stream of lane 0.
            with mx.stream(mx.Device(mx.cpu)), keeping_numbers():
                streams, lane = _lane_streams(lanes), 0
                known = dict(zip(self.inputs, inputs, strict=True))
                try:
                    for step, lowered in known_kinds:
                        if step.lane != lane:
                            lane = step.lane
                            mx.set_default_stream(streams[lane])
                        results = run_step(step.kind, lowered, step.arguments, known)
                        for name in step.last_reads:
                            # Only what nobody holds any more can be overwritten in place.
                            del known[name]
                        known.update(zip(step.outputs, results, strict=True))
                        if step.kind not in _VIEWS:
                            mx.async_eval(results)
                finally:
                    mx.set_default_stream(streams[0])
                return tuple(known[name] for name in self.outputs)

        return function

    def save(self, file: Path) -> None:
        """Write a .safetensors file with the steps in its header. Raises OSError or RuntimeError, as MLX does."""
        tensors: dict[str, mx.array] = {}
        plain = [
            (
                step.kind,
                {name: _plain(argument, tensors) for name, argument in step.arguments.items()},
                step.outputs,
                step.lane,
                step.last_reads,
            )
            for step in self.steps
        ]
        text = json.dumps({"inputs": self.inputs, "steps": plain, "outputs": self.outputs})
        mx.save_safetensors(str(file), tensors, {"schedule": text})


def schedule(program: Program) -> Schedule:
    """The steps of a program. Raises NotCovered for an attribute that a lowering cannot follow."""
    last = {value.name: place for place, step in enumerate(program.operations) for value in step.values()}
    kept = {value.name for _, value in program.outputs}
    steps = []
    for place, operation in enumerate(program.operations):
        read = dict.fromkeys(value.name for value in operation.values())
        ended = tuple(name for name in read if last[name] == place and name not in kept)
        outputs = tuple(value.name for value in operation.outputs)
        steps.append(Step(operation.kind, bind(operation), outputs, operation.lane, ended))
    inputs = tuple(value.name for value in program.inputs)
    return Schedule(inputs, tuple(steps), tuple(value.name for _, value in program.outputs))


def load(file: Path) -> Schedule:
    """What `save` wrote; the file may vanish afterwards."""
    loaded: Any = mx.load(str(file), return_metadata=True)
    tensors, header = loaded
    mx.eval(tensors)
    plain = json.loads(header["schedule"])
    steps = tuple(
        Step(
            kind,
            {name: _argument(one, tensors) for name, one in arguments.items()},
            tuple(outputs),
            lane,
            tuple(last_reads),
        )
        for kind, arguments, outputs, lane, last_reads in plain["steps"]
    )
    return Schedule(tuple(plain["inputs"]), steps, tuple(plain["outputs"]))


def _plain(argument: Any, tensors: dict[str, mx.array]) -> list[Any]:
    """The argument as JSON can write it, a word for its sort in front; tensors are put into `tensors`."""
    if isinstance(argument, Value):
        return ["value", argument.name, argument.shape, argument.dtype]
    if isinstance(argument, mx.array):
        name = str(len(tensors))
        tensors[name] = argument
        return ["tensor", name]
    if isinstance(argument, list):
        return ["several", [_plain(one, tensors) for one in argument]]
    if isinstance(argument, tuple):
        return ["numbers", list(argument)]
    return ["plain", argument]


def _argument(plain: list[Any], tensors: dict[str, mx.array]) -> Any:
    match plain:
        case ["value", name, shape, dtype]:
            return Value(name, tuple(shape), dtype)
        case ["tensor", name]:
            return tensors[name]
        case ["several", many]:
            return [_argument(one, tensors) for one in many]
        case ["numbers", numbers]:
            return tuple(numbers)
        case _:
            return plain[1]


def _lane_streams(lanes: int) -> list[mx.Stream]:
    """A stream for each lane: the thread's default one, and others that are made once for a thread."""
    if not hasattr(_streams, "extra"):
        _streams.extra = []
    while len(_streams.extra) < lanes - 1:
        _streams.extra.append(mx.new_stream(mx.Device(mx.cpu)))
    return [mx.default_stream(mx.Device(mx.cpu)), *_streams.extra]
