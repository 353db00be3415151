"""MIL family `tensor_operation`: tensors made, joined, cut, bordered and sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers
from app.compiler.ops.types import mlx_dtype


@lowers("concat", axes=Axes.NAMED)
def concat(values: Sequence[mx.array], *, axis: int, interleave: bool = False) -> mx.array:
    """The values one after the other along `axis`; interleaved, their slices take turns. Single numbers make a row."""
    if values[0].ndim == 0:
        return mx.stack(list(values))
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
    """x with a border on its last axes; `pad` has a before and an after for each of them.

    The mode reflect mirrors x at its first and last element, which are not repeated.
    """
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
    size = x.shape[axis]
    lead = (slice(None),) * axis
    parts = [x]
    if before:
        parts.insert(0, x[(*lead, slice(before, 0, -1))])
    if after:
        # A stop before the first element has to be left out: -1 would be the last one.
        stop = size - 2 - after
        parts.append(x[(*lead, slice(size - 2, stop if stop >= 0 else None, -1))])
    return mx.concatenate(parts, axis=axis) if len(parts) > 1 else x


@lowers("fill")
def fill(*, shape: tuple[int, ...], value: mx.array) -> mx.array:
    """A tensor of this shape, full of `value`, in its dtype."""
    return mx.full(shape, value.reshape(()))


@lowers("fill_like")
def fill_like(ref_tensor: mx.array, *, value: mx.array) -> mx.array:
    """A tensor of the shape of `ref_tensor`, full of `value`, in the dtype of that."""
    return mx.full(ref_tensor.shape, value.reshape(()))


@lowers("shape")
def shape(x: mx.array) -> mx.array:
    """The sizes of x, int32."""
    return mx.array(x.shape, dtype=mx.int32)


@lowers("range_1d")
def range_1d(*, end: mx.array, start: mx.array, step: mx.array) -> mx.array:
    """start, start + step, … up to before `end`, in their dtype; constants all, or the length would not be known."""
    length = max(0, math.ceil((float(end) - float(start)) / float(step)))
    wide = mx.float32 if mx.issubdtype(start.dtype, mx.floating) else start.dtype
    return (start.astype(wide) + mx.arange(length).astype(wide) * step.astype(wide)).astype(start.dtype)


@lowers("one_hot")
def one_hot(
    indices: mx.array, *, one_hot_vector_size: int, axis: int = -1, on_value: mx.array, off_value: mx.array
) -> mx.array:
    """`on_value` where the place along the new `axis` is the index, else `off_value`; an index outside gives none."""
    place = axis % (indices.ndim + 1)
    places = mx.arange(one_hot_vector_size).reshape([-1] + [1] * (indices.ndim - place))
    return mx.where(mx.expand_dims(indices, place) == places, on_value, off_value)


@lowers("band_part")
def band_part(x: mx.array, *, lower: int = -1, upper: int = -1) -> mx.array:
    """The innermost matrices of x with zeros outside the band: so many diagonals below and above; -1 keeps all."""
    rows, columns = mx.arange(x.shape[-2])[:, None], mx.arange(x.shape[-1])
    inside = mx.ones((x.shape[-2], x.shape[-1]), dtype=mx.bool_)
    if lower >= 0:
        inside = inside & (rows - columns <= lower)
    if upper >= 0:
        inside = inside & (columns - rows <= upper)
    return mx.where(inside, x, mx.zeros_like(x))


@lowers("cumsum", axes=Axes.NAMED)
def cumsum(x: mx.array, *, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> mx.array:
    """The running sum along `axis`, floats summed in float32; exclusive leaves out the element itself."""
    wide = x.astype(mx.float32) if mx.issubdtype(x.dtype, mx.floating) else x
    return mx.cumsum(wide, axis=axis, reverse=reverse, inclusive=not exclusive).astype(x.dtype)


@lowers("argsort", axes=Axes.NAMED)
def argsort(x: mx.array, *, axis: int = -1, ascending: bool = False) -> mx.array:
    """The places of the elements along `axis` in the order of their values, int32; of equals the first comes first."""
    if ascending:
        return mx.argsort(x, axis=axis).astype(mx.int32)
    # Sorted and turned round, equals would come last first; so what is sorted is turned round as well.
    back = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return (x.shape[axis] - 1 - mx.argsort(x[back], axis=axis).astype(mx.int32))[back]


@lowers("topk", axes=Axes.NAMED)
def topk(
    x: mx.array,
    *,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,
    return_indices: bool = True,
    output_indices_dtype: str = "int32",
) -> mx.array | tuple[mx.array, mx.array]:
    """The k largest (ascending: smallest) values along `axis` and their places; k = -1 takes all.

    They always come sorted, which `sort` false does not forbid.
    """
    count = x.shape[axis] if k == -1 else k
    lead = (slice(None),) * (axis % x.ndim)
    indices = argsort(x, axis=axis, ascending=ascending)[(*lead, slice(0, count))]
    values = mx.take_along_axis(x, indices, axis=axis)
    return (values, indices.astype(mlx_dtype(output_indices_dtype))) if return_indices else values


@lowers("flatten2d")
def flatten2d(x: mx.array, *, axis: int = 1) -> mx.array:
    """x as a matrix: the axes before `axis` are its rows, the others its columns."""
    cut = axis + x.ndim if axis < 0 else axis
    return x.reshape(math.prod(x.shape[:cut]), math.prod(x.shape[cut:]))
