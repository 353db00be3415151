"""MIL family `tensor_transformation`: the same numbers in another shape or order."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import Axes, lowers


@lowers("reshape")
def reshape(x: mx.array, *, shape: tuple[int, ...]) -> mx.array:
    """x in row-major order as `shape`: a 0 takes the size that x has there, one -1 takes what is left.

    "There" counts from the last axis, as iOS 17 has it; where the older op sets allow a 0, the ranks are equal.
    """
    missing = len(shape) - x.ndim
    sizes = [size or (x.shape[axis - missing] if axis >= missing else 1) for axis, size in enumerate(shape)]
    return x.reshape(sizes)


@lowers("reshape_like")
def reshape_like(
    x: mx.array,
    *,
    ref_tensors: Sequence[mx.array],
    begins: tuple[int, ...],
    ends: tuple[int, ...],
    end_masks: tuple[bool, ...],
) -> mx.array:
    """x in row-major order, its shape put together from begin:end of each reference's shape; masked, from begin on."""
    sizes: list[int] = []
    for reference, begin, end, masked in zip(ref_tensors, begins, ends, end_masks, strict=True):
        sizes += reference.shape[int(begin) : None if masked else int(end)]
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


@lowers("reverse", axes=Axes.NAMED)
def reverse(x: mx.array, *, axes: tuple[int, ...] | None = None) -> mx.array:
    """x backwards along these axes, or all."""
    chosen = range(x.ndim) if axes is None else [axis % x.ndim for axis in axes]
    return x[tuple(slice(None, None, -1) if axis in chosen else slice(None) for axis in range(x.ndim))]


@lowers("reverse_sequence")
def reverse_sequence(x: mx.array, *, lengths: mx.array, seq_axis: int = 0, batch_axis: int = 0) -> mx.array:
    """x with the first `lengths[i]` elements of its i-th slice along `batch_axis` backwards along `seq_axis`."""
    along, across = (
        [-1 if axis == chosen % x.ndim else 1 for axis in range(x.ndim)] for chosen in (seq_axis, batch_axis)
    )
    places = mx.arange(x.shape[seq_axis]).reshape(along)
    counts = lengths.astype(mx.int32).reshape(across)
    order = mx.where(places < counts, counts - 1 - places, places)
    return mx.take_along_axis(x, mx.broadcast_to(order, x.shape), axis=seq_axis)


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
    return x[_index(x.ndim, begin, end, stride, begin_mask, end_mask, squeeze_mask)]


@lowers("slice_update")
def slice_update(
    x: mx.array,
    *,
    update: mx.array,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    begin_mask: tuple[bool, ...] | None = None,
    end_mask: tuple[bool, ...] | None = None,
    squeeze_mask: tuple[bool, ...] | None = None,
) -> mx.array:
    """x with `update` in the place that slice_by_index would take out."""
    y = mx.array(x)
    y[_index(x.ndim, begin, end, stride, begin_mask, end_mask, squeeze_mask)] = update
    return y


def _index(
    rank: int,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None,
    begin_mask: tuple[bool, ...] | None,
    end_mask: tuple[bool, ...] | None,
    squeeze_mask: tuple[bool, ...] | None,
) -> tuple[slice | int, ...]:
    index: list[slice | int] = []
    for axis in range(rank):
        start = None if begin_mask and begin_mask[axis] else begin[axis]
        if squeeze_mask and squeeze_mask[axis]:
            index.append(start or 0)
            continue
        stop = None if end_mask and end_mask[axis] else end[axis]
        index.append(slice(start, stop, stride[axis] if stride else 1))
    return tuple(index)


@lowers("slice_by_size")
def slice_by_size(x: mx.array, *, begin: tuple[int, ...], size: tuple[int, ...]) -> mx.array:
    """`size` elements from `begin` on every axis; -1 takes all the rest."""
    starts = [b % n if b < 0 else b for b, n in zip(begin, x.shape, strict=True)]
    return x[tuple(slice(b, None if n == -1 else b + n) for b, n in zip(starts, size, strict=True))]


@lowers("sliding_windows")
def sliding_windows(x: mx.array, *, axis: int, size: int, stride: int = 1) -> mx.array:
    """All windows of `size` along `axis`, `stride` apart; a new axis behind `axis` runs along the window."""
    count = (x.shape[axis] - size) // stride + 1
    places = mx.arange(count)[:, None] * stride + mx.arange(size)
    return mx.take(x, places, axis=axis)


@lowers("space_to_batch")
def space_to_batch(x: mx.array, *, block_shape: tuple[int, ...], paddings: tuple[tuple[int, int], ...]) -> mx.array:
    """Each pixel of the b × b blocks of N, C, H, W, bordered with zeros, to an image; the block's position is slow."""
    x = mx.pad(x, [(0, 0), (0, 0), *paddings])
    n, c, h, w = x.shape
    bh, bw = block_shape
    y = x.reshape(n, c, h // bh, bh, w // bw, bw).transpose(3, 5, 0, 1, 2, 4)
    return y.reshape(n * bh * bw, c, h // bh, w // bw)


@lowers("batch_to_space")
def batch_to_space(x: mx.array, *, block_shape: tuple[int, ...], crops: tuple[tuple[int, int], ...]) -> mx.array:
    """Images to b × b blocks of pixels, then so many cut off on each side; the inverse of space_to_batch."""
    n, c, h, w = x.shape
    bh, bw = block_shape
    y = x.reshape(bh, bw, n // (bh * bw), c, h, w).transpose(2, 3, 4, 0, 5, 1)
    y = y.reshape(n // (bh * bw), c, h * bh, w * bw)
    (top, bottom), (left, right) = crops
    return y[:, :, top : h * bh - bottom, left : w * bw - right]


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
