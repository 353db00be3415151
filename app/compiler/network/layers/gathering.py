"""Layers that pick elements by index, or put them there."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, as_indices, fits, known, reshaped, whole
from app.compiler.network.layer import Layer, rebuilds

_MODES = ("update", "add", "sub", "mul", "div", "max", "min")
"""MIL's words for `ScatterMode`, in the order of its numbers."""


@rebuilds("gather")
def gather(layer: Layer) -> Blob:
    """Slices of the first input along an axis, at the indices of the second."""
    x, axis = whole(layer.x), int(layer.parameters.axis)
    return Blob(mb.gather(x=x, indices=_indices(layer), axis=axis, validate_indices=False))


@rebuilds("gatherND")
def gather_nd(layer: Layer) -> Blob:
    """Slices of the first input at the multi-indices in the last axis of the second."""
    return Blob(mb.gather_nd(x=whole(layer.x), indices=_indices(layer), validate_indices=False))


@rebuilds("gatherAlongAxis")
def gather_along_axis(layer: Layer) -> Blob:
    """Elements of the first input, each at its own index along an axis."""
    axis = int(layer.parameters.axis)
    return Blob(mb.gather_along_axis(x=whole(layer.x), indices=_indices(layer), axis=axis, validate_indices=False))


@rebuilds("scatter")
def scatter(layer: Layer) -> Blob:
    """The first input with slices of the third combined into it along an axis, at the indices of the second."""
    return _scattered(mb.scatter, layer, axis=int(layer.parameters.axis))


@rebuilds("scatterND")
def scatter_nd(layer: Layer) -> Blob:
    """The first input with slices of the third combined into it at the multi-indices of the second."""
    return _scattered(mb.scatter_nd, layer)


@rebuilds("scatterAlongAxis")
def scatter_along_axis(layer: Layer) -> Blob:
    """The first input with elements of the third combined into it, each at its own index along an axis."""
    return _scattered(mb.scatter_along_axis, layer, axis=int(layer.parameters.axis))


def _scattered(operation: Any, layer: Layer, **arguments: int) -> Blob:
    return Blob(
        operation(
            data=whole(layer.x),
            indices=_indices(layer),
            updates=whole(layer.input(2)),
            mode=_MODES[layer.parameters.mode],
            validate_indices=False,
            **arguments,
        )
    )


def _indices(layer: Layer) -> Any:
    return as_indices(whole(layer.input(1)))


@rebuilds("oneHot")
def one_hot(layer: Layer) -> Blob:
    """A new axis with one value at each index and another everywhere else; an index outside finds no place."""
    given, indices = layer.parameters, as_indices(whole(layer.x))
    size = known(layer.input(1), "size")[0] if len(layer.inputs) > 1 else int(given.oneHotVectorSize)
    fits([*indices.shape, size])
    axis = int(given.axis) % (indices.rank + 1)
    # MIL's one_hot leaves indices outside of the vector undefined, so each place is compared with the index.
    places = np.arange(size, dtype=np.int32).reshape([-1] + [1] * (indices.rank - axis))
    hit = mb.equal(x=mb.expand_dims(x=indices, axes=[axis]), y=places)
    on = np.full(hit.shape, given.onValue, np.float32)
    return Blob(mb.select(cond=hit, a=on, b=np.float32(given.offValue)))


@rebuilds("reverse")
def reverse(layer: Layer) -> Blob:
    """Chosen axes back to front."""
    x, flags = whole(layer.x), list(layer.parameters.reverseDim)
    if len(flags) != x.rank:
        raise ValueError(f"{len(flags)} directions for {x.rank} axes")
    axes = [axis for axis, flag in enumerate(flags) if flag]
    return Blob(mb.reverse(x=x, axes=axes) if axes else x)


@rebuilds("reverseSeq")
def reverse_sequence(layer: Layer) -> Blob:
    """The first elements of an axis back to front, as many as the second input says for each of the batch."""
    given, lengths = layer.parameters, as_indices(whole(layer.input(1)))
    return Blob(
        mb.reverse_sequence(
            x=whole(layer.x),
            lengths=reshaped(lengths, (-1,)),
            seq_axis=int(given.sequenceAxis),
            batch_axis=int(given.batchAxis),
        )
    )
