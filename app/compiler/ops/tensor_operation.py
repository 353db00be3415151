"""MIL family `tensor_operation`."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers


@lowers("concat", axes=Axes.NAMED)
def concat(values: Sequence[mx.array], *, axis: int, interleave: bool = False) -> mx.array:
    """The values one after the other along `axis`; interleaved, their slices take turns."""
    if not interleave:
        return mx.concatenate(list(values), axis=axis)
    stacked = mx.stack(list(values), axis=axis % values[0].ndim + 1)
    return mx.flatten(stacked, axis % values[0].ndim, axis % values[0].ndim + 1)


@lowers("stack")
def stack(values: Sequence[mx.array], *, axis: int) -> mx.array:
    """The values side by side along a new axis."""
    return mx.stack(list(values), axis=axis)


@lowers("split", axes=Axes.NAMED)
def split(
    x: mx.array, *, axis: int, num_splits: int | None = None, split_sizes: tuple[int, ...] | None = None
) -> tuple[mx.array, ...]:
    """Parts of x along `axis`: of the given sizes, or equal ones."""
    sizes = split_sizes or (x.shape[axis] // (num_splits or 1),) * (num_splits or 1)
    cuts = [sum(sizes[:i]) for i in range(1, len(sizes))]
    return tuple(mx.split(x, cuts, axis=axis))


@lowers("tile")
def tile(x: mx.array, *, reps: tuple[int, ...]) -> mx.array:
    """x repeated `reps` times along each axis."""
    return mx.tile(x, list(reps))


@lowers("pad")
def pad(x: mx.array, *, pad: tuple[int, ...], mode: str = "constant", constant_val: float = 0.0) -> mx.array:
    """x with a border on its last axes; `pad` has a before and an after for each of them."""
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    if mode == "constant":
        return mx.pad(x, pairs, constant_values=mx.array(constant_val, dtype=x.dtype))
    if mode == "replicate":
        return mx.pad(x, pairs, mode="edge")
    if mode == "reflect":
        for axis, pair in enumerate(pairs):
            x = _reflect(x, axis, *pair)
        return x
    raise NotCovered(f"pad (mode={mode})")


def _reflect(x: mx.array, axis: int, before: int, after: int) -> mx.array:
    """x mirrored at its first and last element, which are not repeated."""
    size = x.shape[axis]
    if not before and not after:
        return x
    order = [*range(before, 0, -1), *range(size), *range(size - 2, size - 2 - after, -1)]
    return mx.take(x, mx.array(order), axis=axis)
