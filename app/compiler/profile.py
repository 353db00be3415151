"""Where the time goes: every operation of a program evaluated by itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import numpy as np

from app.compiler.build import build
from app.compiler.devices import DEVICES, Device, Precision
from app.compiler.ops.registry import TABLE
from app.compiler.preparation import read
from app.compiler.profile_report import GroupTime, Profile
from app.compiler.program import Operation, Program
from app.compiler.reading.package import open_package
from app.compiler.source import Source

_GROUPS = {
    "conv": "convolution",
    "conv_transpose": "convolution",
    "pool": "pooling",
    "linear": "matrix product",
    "attention": "attention",
    "activation": "activation",
    "normalization": "normalization",
    "reduction": "reduction",
    "elementwise_binary": "elementwise",
    "elementwise_unary": "elementwise",
    "image_resizing": "resizing",
    "sampling": "resizing",
    "image": "input",
    "scatter_gather": "gather and scatter",
    "recurrent": "recurrent layers",
    "suppression": "box suppression",
    "quantization": "elementwise",
    "transformers": "attention",
    "tensor_operation": "data movement",
    "tensor_transformation": "data movement",
}
"""File of a lowering, without the device that it is for -> the group that it counts in."""

_FUSED = {"fused_depthwise": "convolution", "fused_mean": "reduction", "fused_network": "whole network"}
"""Those of one device that do the work of several operations."""


def profile_model(
    path: str | Path,
    *,
    precision: Precision = "stored",
    device: Device = "cpu",
    function: str | None = None,
    rounds: int = 20,
    on_round: Callable[[int, int], None] = lambda done, of: None,
) -> Profile:
    """Median milliseconds of each group of operations over `rounds` runs on noise, for one image.

    Evaluated step by step, each operation waits for the one before it, on one lane, and nothing is fused; then the
    function that `compile_model` gives is timed over as many runs. on_round(done, of) is called after each run of
    both. Raises what `compile_model` raises.
    """
    package = open_package(path)
    page, program = read(package, function, precision, device)
    steps: list[list[float]] = []
    with mx.stream(DEVICES[device]):
        inputs = _noise(program)
        clock = _Clock()
        stepwise = build(program, clock.stamp)
        # The first round pays for memory and kernels that later ones find ready.
        for done in range(rounds + 1):
            clock.start()
            mx.eval(stepwise(*inputs))
            if done:
                steps.append(clock.steps_ms)
                on_round(done, 2 * rounds)
    # Compiled only now: from then on BLAS keeps to one thread a lane.
    whole = Source(package, precision, function, device, None).compiled(batch=1).function
    wholes: list[float] = []
    for done in range(rounds + 1):
        begin = time.perf_counter_ns()
        mx.eval(whole(*inputs))
        if done:
            wholes.append((time.perf_counter_ns() - begin) / 1e6)
            on_round(rounds + done, 2 * rounds)
    medians = [statistics.median(column) for column in zip(*steps, strict=True)]
    return Profile(
        model=page.facts.name,
        device=device,
        precision=precision,
        rounds=rounds,
        groups=_grouped(program.operations, medians),
        stepwise_ms=sum(medians),
        whole_ms=statistics.median(wholes),
    )


class _Clock:
    """Takes the time from one operation's result to the next one's."""

    def start(self) -> None:
        self.steps_ms: list[float] = []
        self._last = time.perf_counter_ns()

    def stamp(self, operation: Operation, results: tuple[mx.array, ...]) -> None:
        mx.eval(results)
        now = time.perf_counter_ns()
        self.steps_ms.append((now - self._last) / 1e6)
        self._last = now


def _noise(program: Program) -> list[mx.array]:
    """Seeded inputs of the declared shapes: bytes for images, standard normal numbers for others."""
    random = np.random.default_rng(0)
    made = []
    for value in program.inputs:
        if value.dtype == "uint8":
            made.append(mx.array(random.integers(0, 256, value.shape, np.uint8)))
        elif value.dtype.startswith(("int", "uint", "bool")):
            made.append(mx.zeros(value.shape, mx.int32))
        else:
            made.append(mx.array(random.standard_normal(value.shape).astype(np.float32)))
    mx.eval(made)
    return made


def group_of(kind: str) -> str:
    """The group in which operations of this kind are counted."""
    if kind in _FUSED:
        return _FUSED[kind]
    # A device's own form of an operation counts as that operation.
    lowered = TABLE.get(kind.removeprefix("cpu_").removeprefix("fused_")) or TABLE[kind]
    return _GROUPS[lowered.function.__module__.rpartition(".")[2].removesuffix("_cpu")]


def _grouped(operations: tuple[Operation, ...], medians_ms: list[float]) -> tuple[GroupTime, ...]:
    found: dict[str, dict[str, list[float]]] = {}
    for operation, ms in zip(operations, medians_ms, strict=True):
        found.setdefault(group_of(operation.kind), {}).setdefault(operation.kind, []).append(ms)
    rows = [
        GroupTime(
            group=group,
            count=sum(map(len, kinds.values())),
            ms=sum(map(sum, kinds.values())),
            kinds=tuple(sorted(((k, len(v), sum(v)) for k, v in kinds.items()), key=lambda row: -row[2])),
        )
        for group, kinds in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.ms, reverse=True))
