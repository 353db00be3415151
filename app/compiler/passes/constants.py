"""What can be known before the program runs."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import mlx.core as mx
import numpy as np

from app.compiler.build import build
from app.compiler.ops.registry import TABLE, NotCovered
from app.compiler.passes.precision import compute_in
from app.compiler.program import Argument, Operation, Program

_LARGEST = 2**20
"""Elements that a result may have when it is larger than what it is made of (a filled or tiled tensor)."""

_MOVES = frozenset((
    "identity", "reshape", "reshape_like", "expand_dims", "squeeze", "flatten2d", "transpose", "reverse",
    "slice_by_index", "slice_by_size", "concat", "stack", "split", "tile", "gather", "gather_along_axis", "gather_nd",
    "depth_to_space", "space_to_depth", "pixel_shuffle", "pixel_unshuffle", "sliding_windows",
))  # fmt: skip
"""Operations whose results are numbers that they read, so that halves stay exactly what they are."""


def fold_constants(program: Program) -> Program:
    """Before: operations that read nothing but constants, and shape(x). After: their results where they were read.

    They run on the CPU with the lowerings that would have run later. Floats are computed in float32 whatever the
    program declares, so no rounding to halves gets into a program that computes in float32; moved only, they keep
    their type. What an output gives stays an operation, and so does a large tensor made of a small one.
    """
    known: dict[str, Argument] = {}
    promised = {value.name for _, value in program.outputs}
    kept: list[Operation] = []
    for operation in program.operations:
        operation = operation.reading(known)
        results = None if promised & {v.name for v in operation.outputs} else evaluated(operation)
        if results is None:
            kept.append(operation)
        else:
            known.update({value.name: result for value, result in zip(operation.outputs, results, strict=True)})
    return replace(program, operations=tuple(kept))


def evaluated(operation: Operation) -> list[np.ndarray] | None:
    """What the operation gives; None when that depends on an input, or is too large."""
    if operation.kind == "shape" and (x := operation.value("x")):
        return [np.array(x.shape, dtype=np.int32)]
    if operation.kind not in TABLE or any(operation.values()):
        return None
    read = [one for argument in operation.inputs.values() for one in _arrays(argument)]
    if sum(prod(value.shape) for value in operation.outputs) > max(_LARGEST, sum(one.size for one in read)):
        return None
    halves = operation.kind in _MOVES and all(one.dtype == np.float16 for one in read if one.dtype.kind == "f")
    typed = compute_in("fp16" if halves else "fp32")(Program((), (operation,), ()))
    (alone,) = typed.operations
    try:
        with mx.stream(mx.cpu):
            results = build(replace(typed, outputs=tuple((value.name, value) for value in alone.outputs)))()
            mx.eval(results)
    except NotCovered:
        # build.py says it, of the whole program.
        return None
    return [np.array(result) for result in results]


def _arrays(argument: Argument) -> list[np.ndarray]:
    if isinstance(argument, str):
        return []
    return [np.asarray(one) for one in (argument if isinstance(argument, tuple) else (argument,))]
