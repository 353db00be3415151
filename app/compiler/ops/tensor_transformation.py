"""MIL family `tensor_transformation`: the same numbers in another shape or order."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers


@lowers("reshape")
def reshape(x: mx.array, *, shape: tuple[int, ...]) -> mx.array:
    """x in row-major order as `shape`: 0 takes the size of x there, one -1 takes what is left."""
    sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(shape)]
    return x.reshape(sizes)


@lowers("transpose")
def transpose(x: mx.array, *, perm: tuple[int, ...]) -> mx.array:
    """Axis i of the result is axis perm[i] of x."""
    return x.transpose([axis % x.ndim for axis in perm])


@lowers("expand_dims")
def expand_dims(x: mx.array, *, axes: tuple[int, ...]) -> mx.array:
    """x with new axes of size 1 at these places of the result."""
    return mx.expand_dims(x, list(axes))


@lowers("squeeze")
def squeeze(x: mx.array, *, axes: tuple[int, ...] | None = None) -> mx.array:
    """x without these axes, or all, as far as they have size 1."""
    chosen = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    return mx.squeeze(x, [axis for axis in chosen if x.shape[axis] == 1])


@lowers("reverse")
def reverse(x: mx.array, *, axes: tuple[int, ...] | None = None) -> mx.array:
    """x backwards along these axes, or all."""
    chosen = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    return x[tuple(slice(None, None, -1) if axis in chosen else slice(None) for axis in range(x.ndim))]


@lowers("slice_by_index")
def slice_by_index(
    x: mx.array,
    *,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    begin_mask: tuple[bool, ...] | None = None,
    end_mask: tuple[bool, ...] | None = None,
    squeeze_mask: tuple[bool, ...] | None = None,
) -> mx.array:
    """x[begin:end:stride] on every axis; a masked begin or end is left out, a squeezed axis is indexed at begin."""
    index: list[slice | int] = []
    for axis in range(x.ndim):
        if squeeze_mask and squeeze_mask[axis]:
            index.append(begin[axis])
            continue
        start = None if begin_mask and begin_mask[axis] else begin[axis]
        stop = None if end_mask and end_mask[axis] else end[axis]
        index.append(slice(start, stop, stride[axis] if stride else 1))
    return x[tuple(index)]


@lowers("slice_by_size")
def slice_by_size(x: mx.array, *, begin: tuple[int, ...], size: tuple[int, ...]) -> mx.array:
    """`size` elements from `begin` on every axis; -1 takes all the rest."""
    starts = [b % n if b < 0 else b for b, n in zip(begin, x.shape, strict=True)]
    return x[tuple(slice(b, None if n == -1 else b + n) for b, n in zip(starts, size, strict=True))]


@lowers("depth_to_space", axes=Axes.SPATIAL)
def depth_to_space(x: mx.array, *, block_size: int, channels_last: bool = False) -> mx.array:
    """Channels to b × b blocks of pixels; the block's position is the slow part of the channel index."""
    y = x if channels_last else mx.moveaxis(x, 1, -1)
    n, h, w, c = y.shape
    b = block_size
    y = y.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5).reshape(n, h * b, w * b, c // b**2)
    return y if channels_last else mx.moveaxis(y, -1, 1)


@lowers("space_to_depth", axes=Axes.SPATIAL)
def space_to_depth(x: mx.array, *, block_size: int, channels_last: bool = False) -> mx.array:
    """b × b blocks of pixels to channels; the inverse of depth_to_space."""
    y = x if channels_last else mx.moveaxis(x, 1, -1)
    n, h, w, c = y.shape
    b = block_size
    y = y.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // b, w // b, c * b**2)
    return y if channels_last else mx.moveaxis(y, -1, 1)


@lowers("pixel_shuffle", axes=Axes.SPATIAL)
def pixel_shuffle(x: mx.array, *, upscale_factor: int, channels_last: bool = False) -> mx.array:
    """Channels to r × r blocks of pixels; the block's position is the fast part of the channel index."""
    y = x if channels_last else mx.moveaxis(x, 1, -1)
    n, h, w, c = y.shape
    r = upscale_factor
    y = y.reshape(n, h, w, c // r**2, r, r).transpose(0, 1, 4, 2, 5, 3).reshape(n, h * r, w * r, c // r**2)
    return y if channels_last else mx.moveaxis(y, -1, 1)


@lowers("pixel_unshuffle", axes=Axes.SPATIAL)
def pixel_unshuffle(x: mx.array, *, downscale_factor: int, channels_last: bool = False) -> mx.array:
    """r × r blocks of pixels to channels; the inverse of pixel_shuffle."""
    y = x if channels_last else mx.moveaxis(x, 1, -1)
    n, h, w, c = y.shape
    r = downscale_factor
    y = y.reshape(n, h // r, r, w // r, r, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // r, w // r, c * r**2)
    return y if channels_last else mx.moveaxis(y, -1, 1)
