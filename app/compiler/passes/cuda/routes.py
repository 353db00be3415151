"""Which operations become one kernel on an NVIDIA GPU (`ops/fused.py` runs them).

MLX's CUDA back end prepares every convolution and product anew in each evaluation, which takes the processor ten to
forty microseconds, and keeps what follows them apart. At batch 1 that is most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from app.compiler.cuda.device import gpu
from app.compiler.cuda.network import MEMORY_BYTES
from app.compiler.padding import flat, resolve
from app.compiler.passes.cuda.network import one_kernel
from app.compiler.passes.patterns import Found, Graph, either_order, rewrite, scalar
from app.compiler.program import FLOATS, Argument, Operation, Pass, Program, Value

_KERNEL_LIMIT = 7
"""The widest depthwise kernel whose weights a thread can hold."""
_LARGE = 700_000_000
_DEEP = 64
"""A product of more multiplications than that, and not short sums, is left to MLX: its libraries use the matrix units
better than our kernel does, and the time to launch it no longer counts. NVIDIA H200, batch 32."""
_BYTES = {"fp16": 2, "bf16": 2, "fp32": 4}


def passes_on_cuda() -> tuple[Pass, ...]:
    """What follows the layout where MLX computes on an NVIDIA GPU; nothing on other GPUs."""
    found = gpu()
    if found is None:
        return ()
    if found.shared_bytes < MEMORY_BYTES + 1024:
        return (route_on_cuda,)
    return (route_on_cuda, one_kernel(found.multiprocessors))


def route_on_cuda(program: Program) -> Program:
    """Before: channels last; conv, linear, then a factor a channel, a sum with a tensor of the same shape, an
    activation. After: fused_conv, fused_linear, fused_depthwise; the mean over space is fused_mean.
    """
    return rewrite(program, _fused)


@dataclass(frozen=True, eq=False)
class _Chain:
    """A product at the bottom, what was found on top of it so far, and the operations below the root."""

    base: Operation
    kind: str
    given: dict[str, Argument]
    inner: tuple[Operation, ...] = field(default=())

    def with_more(self, below: Operation, **given: Argument) -> _Chain:
        return replace(self, given={**self.given, **given}, inner=(*self.inner, below))


def _fused(graph: Graph, root: Operation) -> Found | None:
    if root.kind == "reduce_mean":
        return _mean(root)
    if len(root.outputs) != 1:
        return None
    for chain in _chains(graph, root, ("residual", "activation", "residual_first", "factor")):
        if graph.closed(root, chain.inner):
            return Found((Operation(chain.kind, chain.given, root.outputs),), chain.inner)
    return None


def _chains(graph: Graph, root: Operation, allowed: tuple[str, ...]) -> Iterator[_Chain]:
    """Every way to read `root` as a product and some of these steps on top, the last step first."""
    base = _base(root)
    if base is not None:
        yield base
        return
    for place, step in enumerate(allowed):
        below = allowed[place + 1 :]
        if step == "activation" and (found := _activation(root)) is not None:
            x, name, alpha, beta = found
            for chain in _below(graph, root, x, below):
                if "residual" not in chain.given or chain.given.get("residual_first"):
                    yield chain.with_more(chain.base, activation=name, alpha=alpha, beta=beta)
        elif step == "factor" and root.kind == "mul":
            for given, constant in either_order(root):
                factor = _a_channel(constant, root.output)
                for chain in _below(graph, root, given, ()) if factor is not None else ():
                    if chain.kind != "fused_depthwise":
                        yield chain.with_more(chain.base, factor=factor)  # type: ignore[arg-type]
        elif step in ("residual", "residual_first") and root.kind == "add":
            for given, other in either_order(root):
                if not _same_kind(other, root.output):
                    continue
                # The activation stands below a residual that comes last, above one that comes first.
                last = step == "residual"
                for chain in _below(graph, root, given, below):
                    if chain.kind != "fused_depthwise" and "residual" not in chain.given:
                        yield chain.with_more(chain.base, residual=other, residual_first=not last)


def _below(graph: Graph, root: Operation, argument: Argument, allowed: tuple[str, ...]) -> Iterator[_Chain]:
    made = graph.makers.get(argument.name) if isinstance(argument, Value) else None
    if made is None or len(made.outputs) != 1 or graph.readers.get(made.output.name, 0) != 1:
        return
    if made.output.shape != root.output.shape or made.output.dtype != root.output.dtype:
        return
    for chain in _chains(graph, made, allowed):
        yield replace(chain, inner=(made, *(one for one in chain.inner if one is not made)))


def _base(operation: Operation) -> _Chain | None:
    x, weight = operation.value("x"), operation.constant("weight")
    if x is None or weight is None or operation.output.dtype not in FLOATS or x.dtype != operation.output.dtype:
        return None
    bias = operation.constant("bias")
    given: dict[str, Argument] = {"x": x}
    if bias is not None:
        given["bias"] = np.broadcast_to(bias.astype(np.float32).reshape(-1), (weight.shape[0],))
    elif "bias" in operation.inputs:
        return None
    depth = weight.size // weight.shape[0]
    if depth >= _DEEP and depth * math.prod(operation.output.shape) > _LARGE:
        return None
    if operation.kind == "linear":
        return _Chain(operation, "fused_linear", {**given, "weight": weight})
    if operation.kind != "conv" or not operation.inputs.get("channels_last") or weight.ndim != 4:
        return None
    strides, dilations = operation.numbers("strides", (1, 1)), operation.numbers("dilations", (1, 1))
    pad_type = str(operation.inputs.get("pad_type", "valid"))
    kernel = (weight.shape[1], weight.shape[2])
    pads = resolve(pad_type, operation.numbers("pad"), x.shape[1:-1], kernel, strides, dilations)
    given.update(strides=np.array(strides), pad=np.array(flat(pads)), dilations=np.array(dilations))
    groups = operation.numbers("groups", (1,))[0]
    if groups == 1:
        return _Chain(operation, "fused_conv", {**given, "weight": weight})
    alone = groups == x.shape[-1] == weight.shape[0] and weight.shape[3] == 1
    if alone and max(kernel) <= _KERNEL_LIMIT and _in_vectors(x):
        turned = np.ascontiguousarray(weight[..., 0].transpose(1, 2, 0))
        return _Chain(operation, "fused_depthwise", {**given, "weight": turned})
    return None


def _activation(operation: Operation) -> tuple[Value, str, float, float] | None:
    """What it reads, its name in `cuda/arithmetic.py`, alpha and beta."""
    x = operation.value("x")
    if x is None:
        return None
    alpha, beta = scalar(operation.inputs.get("alpha")) or 0.0, scalar(operation.inputs.get("beta")) or 0.0
    match operation.kind:
        case "relu" | "silu" | "sigmoid" | "tanh":
            return x, operation.kind, 0.0, 0.0
        case "relu6":
            return x, "clip", 0.0, 6.0
        case "clip" | "hard_swish":
            return x, operation.kind, alpha, beta
        case "leaky_relu":
            return x, operation.kind, alpha, 0.0
        case "sigmoid_hard":
            given = operation.inputs
            return x, "sigmoid_hard", alpha if "alpha" in given else 0.2, beta if "beta" in given else 0.5
        case "gelu":
            return x, f"gelu {operation.inputs.get('mode', 'EXACT')}", 0.0, 0.0
    return None


def _mean(root: Operation) -> Found | None:
    """Over the two middle axes of four."""
    x = root.value("x")
    if x is None or len(x.shape) != 4 or x.dtype not in _BYTES or not _in_vectors(x):
        return None
    if sorted(axis % 4 for axis in root.numbers("axes", (0, 1, 2, 3))) != [1, 2]:
        return None
    keep = bool(root.inputs.get("keep_dims", False))
    return Found((Operation("fused_mean", {"x": x, "keep_dims": keep}, root.outputs),), ())


def _in_vectors(x: Value) -> bool:
    """Whether the channels fill whole vectors of 16 bytes."""
    return x.shape[-1] * _BYTES[x.dtype] % 16 == 0


def _a_channel(argument: Argument, output: Value) -> np.ndarray | None:
    """A constant with one value for each place of the last axis."""
    if isinstance(argument, Value | str | tuple):
        return None
    constant = np.asarray(argument)
    size = output.shape[-1]
    if constant.ndim == 0 or constant.size != size or constant.shape[-1] != size or constant.ndim > len(output.shape):
        return None
    return constant.astype(np.float32).reshape(-1)


def _same_kind(argument: Argument, output: Value) -> bool:
    return isinstance(argument, Value) and argument.shape == output.shape and argument.dtype == output.dtype
