"""Layers that take parts of a blob along its axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, as_indices, fits, known, reshaped, whole
from app.compiler.network.layer import Layer, rebuilds


@rebuilds("slice")
def slice_axis(layer: Layer) -> Blob:
    """A part of the channels, rows or columns; an end of zero or less counts from the end."""
    given, x = layer.parameters, layer.x
    axis = {given.CHANNEL_AXIS: -3, given.HEIGHT_AXIS: -2, given.WIDTH_AXIS: -1}[given.axis]
    size = int(x.var.shape[axis])
    start, end, stride = int(given.startIndex), int(given.endIndex), max(int(given.stride), 1)
    start, end = start + (size if start < 0 else 0), end + (size if end <= 0 else 0)
    if not 0 <= start < end <= size:
        raise ValueError(f"nothing from {start} to {end} of {size}")
    return x.then(_part(x, axis, start, end, stride))


def _part(x: Blob, axis: int, start: int, end: int, stride: int) -> object:
    rank = int(x.var.rank)
    place = rank + axis
    others = [i != place for i in range(rank)]
    begin, stop, step = ([value if i == place else one for i in range(rank)]
                         for value, one in ((start, 0), (end, 0), (stride, 1)))  # fmt: skip
    return mb.slice_by_index(x=x.var, begin=begin, end=stop, stride=step, begin_mask=others, end_mask=others)


@rebuilds("sliceStatic")
def slice_static(layer: Layer) -> Blob:
    """Python's slices on every axis, some of them a single index that drops the axis."""
    given = layer.parameters
    return _sliced(layer.x, given.beginIds, given.endIds, given.strides, given.beginMasks, given.endMasks,
                   given.squeezeMasks)  # fmt: skip


@rebuilds("sliceDynamic")
def slice_dynamic(layer: Layer) -> Blob:
    """The same with bounds as inputs, which must be known before the program runs."""
    given = layer.parameters
    stored = [(), given.endIds, given.strides, given.beginMasks, given.endMasks, given.squeezeMasks]
    for index, blob in enumerate(layer.inputs[1:]):
        stored[index] = known(blob, "bounds")
    return _sliced(layer.x, *stored)


def _sliced(
    x: Blob,
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int],
    from_start: Sequence[bool],
    to_end: Sequence[bool],
    single: Sequence[bool],
) -> Blob:
    rank = x.rank
    if not len(begin) == len(end) == len(strides) == rank:
        raise ValueError(f"{len(begin)} bounds for {rank} axes")
    masks = [[bool(flag) for flag in flags] + [False] * (rank - len(flags)) for flags in (from_start, to_end, single)]
    y = mb.slice_by_index(
        x=whole(x),
        begin=[int(b) for b in begin],
        end=[int(e) for e in end],
        stride=[int(s) for s in strides],
        begin_mask=masks[0],
        end_mask=masks[1],
        squeeze_mask=masks[2],
    )
    if 0 in y.shape:
        raise ValueError(f"nothing is left of {x.shape}")
    return Blob(mb.expand_dims(x=y, axes=[0]) if y.rank == 0 else y)


@rebuilds("sliceBySize")
def slice_by_size(layer: Layer) -> Blob:
    """A part of known size along an axis, from an index on that is the second input."""
    given, x = layer.parameters, whole(layer.x)
    axis, size = int(given.axis) % x.rank, int(given.size)
    start = as_indices(reshaped(layer.input(1).var, (1,)))
    places = mb.add(x=start, y=np.arange(size, dtype=np.int32))
    return Blob(mb.gather(x=x, indices=places, axis=axis, validate_indices=False))


@rebuilds("split")
def split(layer: Layer) -> list[Blob]:
    """Equal parts of the channels."""
    parts = mb.split(x=layer.x.var, num_splits=int(layer.parameters.nOutputs), axis=-3)
    return [layer.x.then(part) for part in parts]


@rebuilds("splitND")
def split_nd(layer: Layer) -> list[Blob]:
    """Parts along any axis, equal or of given sizes."""
    given, x = layer.parameters, whole(layer.x)
    sizes = [int(size) for size in given.splitSizes]
    how = {"split_sizes": sizes} if sizes else {"num_splits": int(given.numSplits) or layer.outputs}
    return [Blob(part) for part in mb.split(x=x, axis=layer.x.axis(int(given.axis)), **how)]


@rebuilds("slidingWindows")
def sliding_windows(layer: Layer) -> Blob:
    """All windows along an axis, which becomes two: the window and the place in it."""
    given, x = layer.parameters, whole(layer.x)
    axis, size, step = layer.x.axis(int(given.axis)), int(given.windowSize), int(given.step)
    length = int(x.shape[axis])
    if not 0 < size <= length or step < 1:
        raise ValueError(f"windows of {size} every {step} of {length}")
    fits([*x.shape, size], layer.x)
    return Blob(mb.sliding_windows(x=x, axis=axis, size=size, stride=step))


@rebuilds("matrixBandPart", "lowerTriangular", "upperTriangular")
def triangle(layer: Layer) -> Blob:
    """The last two axes as a matrix, zero outside of a band around its diagonal."""
    given, x = layer.parameters, layer.x
    rows, columns = (int(size) for size in x.var.shape[-2:])
    below = np.arange(rows)[:, None] - np.arange(columns)[None, :]
    if layer.kind == "lowerTriangular":
        kept = below >= -given.k
    elif layer.kind == "upperTriangular":
        kept = below <= -given.k
    else:
        kept = (below <= given.numLower) | (given.numLower < 0)
        kept &= (-below <= given.numUpper) | (given.numUpper < 0)
    return x.then(mb.select(cond=kept, a=x.var, b=np.float32(0)))
