"""MIL family `scatter_gather`: elements read or written at places that another tensor names.

A negative index counts from the end (iOS 15 and 16; from iOS 17 on it is undefined). `validate_indices` is accepted and
not followed: a traced function cannot raise, and coremltools has checked constant indices when it read the program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import NotCovered, lowers


@lowers("gather")
def gather(
    x: mx.array, *, indices: mx.array, axis: int = 0, batch_dims: int = 0, validate_indices: bool = False
) -> mx.array:
    """The slices of x at `indices` along `axis`, whose place the axes of `indices` take.

    The first `batch_dims` axes are those of x and of `indices`; each batch reads with its own indices.
    """
    if not batch_dims:
        return mx.take(x, indices, axis=axis)
    axis %= x.ndim
    batch, before, behind = x.shape[:batch_dims], x.shape[batch_dims:axis], x.shape[axis + 1 :]
    picked = mx.take_along_axis(
        x.reshape(math.prod(batch), math.prod(before), x.shape[axis], math.prod(behind)),
        indices.reshape(math.prod(batch), 1, -1, 1),
        axis=2,
    )
    return picked.reshape(*batch, *before, *indices.shape[batch_dims:], *behind)


@lowers("gather_along_axis")
def gather_along_axis(x: mx.array, *, indices: mx.array, axis: int = 0, validate_indices: bool = False) -> mx.array:
    """For each element of `indices` the element of x that stands there along `axis`; the other axes agree."""
    return mx.take_along_axis(x, indices, axis=axis)


@lowers("gather_nd")
def gather_nd(x: mx.array, *, indices: mx.array, batch_dims: int = 0, validate_indices: bool = False) -> mx.array:
    """The slices of x at the places that the last axis of `indices` spells; the first `batch_dims` axes agree."""
    return x[(*_grid(indices.shape[:-1], range(batch_dims)), *_spelled(indices))]


@lowers("scatter")
def scatter(
    *,
    data: mx.array,
    indices: mx.array,
    updates: mx.array,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> mx.array:
    """`data` with the slices of `updates` combined into it at `indices` along `axis`."""
    return _combined(data, (*(slice(None),) * (axis % data.ndim), indices), updates, mode)


@lowers("scatter_along_axis")
def scatter_along_axis(
    *,
    data: mx.array,
    indices: mx.array,
    updates: mx.array,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> mx.array:
    """`data` with each element of `updates` combined into it at the place along `axis` that `indices` names."""
    index = _grid(indices.shape, range(indices.ndim))
    index[axis % data.ndim] = indices
    return _combined(data, tuple(index), updates, mode)


@lowers("scatter_nd")
def scatter_nd(
    *, data: mx.array, indices: mx.array, updates: mx.array, mode: str = "add", validate_indices: bool = False
) -> mx.array:
    """`data` with `updates` combined into it at the places that the last axis of `indices` spells."""
    return _combined(data, _spelled(indices), updates, mode)


def _spelled(indices: mx.array) -> tuple[mx.array, ...]:
    return tuple(indices[..., i] for i in range(indices.shape[-1]))


def _grid(shape: Sequence[int], axes: Sequence[int]) -> list[mx.array]:
    """For each of these axes the element's own place on it; they broadcast to `shape`."""
    return [mx.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))]) for axis in axes]


def _combined(data: mx.array, index: tuple[slice | mx.array, ...], updates: mx.array, mode: str) -> mx.array:
    """`data` with data[index] replaced, or combined with `updates`, once for every time that a place is named."""
    if mode == "update":
        y = mx.array(data)
        y[index] = updates
        return y
    at = data.at[index]
    if mode == "div" and mx.issubdtype(data.dtype, mx.floating):
        return at.divide(updates)
    methods = {"add": at.add, "sub": at.subtract, "mul": at.multiply, "max": at.maximum, "min": at.minimum}
    if mode not in methods:
        # MLX divides whole numbers by way of their reciprocals.
        raise NotCovered(f"scatter (mode={mode}, {data.dtype})")
    return methods[mode](updates)
