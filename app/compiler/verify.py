"""Whether a model's optimised function gives what its plain program gives.

For a stranger's file there is no other implementation at hand. But its program can be run twice: as `compile_model`
does, after every pass, in its precision and on its device; and plainly, as the file states it, operation by operation
in float32 on the CPU, where each result is compared with the shape and type that MIL declares. A pass or a route that
changes an answer shows as a difference between the two. What both share, the plain lowerings, is tested against NumPy
and PyTorch one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import mlx.core as mx
import numpy as np

from app.compiler.build import build
from app.compiler.devices import DEVICES, Device, Precision
from app.compiler.facts import Feature, ModelFacts
from app.compiler.ops.registry import NotCovered
from app.compiler.passes import passes_for
from app.compiler.passes.lanes.in_lanes import in_lanes
from app.compiler.passes.precision import compute_in
from app.compiler.preparation import at_batch
from app.compiler.program import Operation, Program, Value
from app.compiler.reading.package import open_package
from app.compiler.reading.translation import translated
from app.compiler.verify_report import Difference, Verification
from app.errors import UnsupportedOps
from app.machine.blas import computing_threads


@dataclass(frozen=True)
class _Bounds:
    """What rounding in a type may explain.

    The cosines are those that the project promises. The largest difference is wide, for a single number of many may
    fall where rounding is felt most, but a wrong border or channel is of the order of the values themselves. Whole
    numbers come from comparisons, which a tie decides either way: of those most have to be the same.
    """

    cosine: float
    relative: float
    same: float


_BOUNDS = {
    "fp32": _Bounds(0.99999, 1e-3, 0.999),
    "fp16": _Bounds(0.999, 0.1, 0.98),
    # An eighth of float16's digits, so 64 times its distance of a cosine from 1.
    "bf16": _Bounds(0.94, 0.5, 0.9),
}


def verify(
    path: str | Path,
    *,
    precision: Precision = "stored",
    function: str | None = None,
    device: Device = "cpu",
    arrays: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> Verification:
    """Run both forms of the model on the same inputs, for one image.

    `arrays` has inputs by name, as `CompiledModel` takes them; seeded noise stands for those that it lacks. Raises what
    `compile_model` raises, and InternalError when an operation gives another shape or type than MIL declares.
    """
    facts, program = translated(open_package(path), function, (), lambda facts: None)
    given = {**noise(facts, seed), **(arrays or {})}
    inputs = [given[_feature_name(value)] for value in program.inputs]
    try:
        return verify_program(program, inputs, precision, device)
    except NotCovered as error:
        raise UnsupportedOps(model=facts.name, ops=(str(error),)) from error


def verify_program(
    program: Program, inputs: list[np.ndarray], precision: Precision = "stored", device: Device = "cpu"
) -> Verification:
    """The same for a program as `translated` gives it. Raises NotCovered, InternalError."""
    computed = _computed(program, precision)
    outputs = _compared(program, inputs, precision, device)
    if all(output.agrees for output in outputs):
        return Verification(computed, device, outputs, None, None)
    operation, difference = _first_divergence(program, inputs, precision, device)
    return Verification(computed, device, outputs, operation.kind, difference)


def noise(facts: ModelFacts, seed: int) -> dict[str, np.ndarray]:
    """Inputs of every kind, the same for the same seed: coarse and fine noise as an image, normal numbers as an array
    or a state.

    Whole numbers are 0 or 1, for they may be indices into anything.
    """
    numbers = np.random.default_rng(seed)
    return {one.name: _noise(one, numbers) for one in facts.inputs if one.is_array}


def _noise(feature: Feature, numbers: np.random.Generator) -> np.ndarray:
    if feature.kind != "image":
        if feature.dtype.startswith("int"):
            return numbers.integers(0, 2, feature.shape).astype(feature.dtype)
        return numbers.standard_normal(feature.shape).astype(np.float16 if feature.dtype == "fp16" else np.float32)
    _, height, width, channels = feature.shape
    coarse = numbers.uniform(40, 215, (1, 5, 5, channels))
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 5 // width
    picture = coarse[:, rows][:, :, columns] + numbers.normal(0, 20, feature.shape)
    pixels: np.ndarray = np.clip(np.rint(picture), 0, 255)
    return pixels.astype(np.uint8) if feature.dtype == "uint8" else (pixels / 255).astype(np.float16)


def _feature_name(value: Value) -> str:
    """`take_inputs` marks what the caller gives with a second word."""
    return value.name.rsplit(" ", 1)[0]


def _computed(program: Program, precision: Precision) -> str:
    """The coarsest float type in which the optimised function computes."""
    if precision != "stored":
        return precision
    found = {value.dtype for operation in program.operations for value in operation.outputs}
    return next((dtype for dtype in ("bf16", "fp16") if dtype in found), "fp32")


def _compared(
    program: Program, inputs: list[np.ndarray], precision: Precision, device: Device
) -> tuple[Difference, ...]:
    bounds = _BOUNDS[_computed(program, precision)]
    plain = _run(compute_in("fp32")(program), inputs, "cpu")
    optimised = _run(_optimised(program, precision, device), inputs, device)
    names = [name for name, _ in program.outputs]
    return tuple(_difference(*one, bounds) for one in zip(names, plain, optimised, strict=True))


def _optimised(program: Program, precision: Precision, device: Device) -> Program:
    for one in passes_for(precision, device):
        program = one(program)
    program = at_batch(program, 1, device)
    # The parts that run side by side, one after the other: `schedule.py` gives the same steps to several threads.
    return in_lanes(program, computing_threads()) if device == "cpu" else program


def _run(program: Program, inputs: list[np.ndarray], device: Device) -> list[np.ndarray]:
    with mx.stream(DEVICES[device]):
        results = build(program)(*map(mx.array, inputs))
        mx.eval(results)
        return [np.array(one.astype(mx.float32) if one.dtype == mx.bfloat16 else one) for one in results]


def _difference(name: str, plain: np.ndarray, other: np.ndarray, bounds: _Bounds) -> Difference:
    unlike = Difference(name, float("nan"), float("inf"), float("inf"), 0.0, agrees=False)
    if plain.shape != other.shape:
        return unlike
    whole = not np.issubdtype(plain.dtype, np.floating)
    a, b = (one.astype(np.float64).reshape(-1) for one in (plain, other))
    same = float((a == b).mean()) if a.size else 1.0
    finite = np.isfinite(a)
    if (finite != np.isfinite(b)).any():
        return unlike
    a, b = a[finite], b[finite]
    largest, size = float(np.abs(a - b).max(initial=0)), float(np.abs(a).max(initial=0))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float(a @ b) / lengths if lengths else float(largest == 0)
    relative = largest / size if size else largest
    close = cosine >= bounds.cosine and relative <= bounds.relative
    return Difference(name, cosine, largest, relative, same, agrees=same >= bounds.same if whole else close)


def _first_divergence(
    program: Program, inputs: list[np.ndarray], precision: Precision, device: Device
) -> tuple[Operation, Difference]:
    """By halving: the program is cut after an operation, and all that is still needed there becomes its outputs.

    The cut program goes through the passes again, so that a pass which spoils something does so wherever it finds its
    whole pattern before the cut.
    """
    good, bad = 0, len(program.operations)
    found = next(d for d in _compared(program, inputs, precision, device) if not d.agrees)
    while bad - good > 1:
        middle = (good + bad) // 2
        wrong = [d for d in _compared(_cut(program, middle), inputs, precision, device) if not d.agrees]
        if wrong:
            bad, found = middle, wrong[-1]
        else:
            good = middle
    return program.operations[bad - 1], found


def _cut(program: Program, length: int) -> Program:
    """The first operations; what the rest reads of them, and what the model gives, are the outputs."""
    needed = {value.name for operation in program.operations[length:] for value in operation.values()}
    needed |= {value.name for _, value in program.outputs}
    kept = program.operations[:length]
    live = [value for operation in kept for value in operation.outputs if value.name in needed]
    return replace(program, operations=kept, outputs=tuple((value.name, value) for value in live))
