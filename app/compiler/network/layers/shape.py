"""Layers that change the shape or the order of axes, and no number."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, broadcast, fits, known, reshaped, whole
from app.compiler.network.layer import Layer, rebuilds


@rebuilds("flatten")
def flatten(layer: Layer) -> Blob:
    """Channels, height and width in the place of the channels, the channel moving slowest or fastest."""
    x, given = layer.x, layer.parameters
    var = x.var
    if given.mode == given.CHANNEL_LAST:
        front = list(range(var.rank - 3))
        var = mb.transpose(x=var, perm=[*front, *(len(front) + axis for axis in (1, 2, 0))])
    return x.then(reshaped(var, (*var.shape[:-3], prod(var.shape[-3:]), 1, 1)))


@rebuilds("flattenTo2D")
def flatten_to_2d(layer: Layer) -> Blob:
    """The sizes before an axis in one, the others in another."""
    shape, axis = layer.x.shape, int(layer.parameters.axis)
    axis += len(shape) if axis < 0 else 0
    return Blob(reshaped(whole(layer.x), (prod(shape[:axis]), prod(shape[axis:]))))


@rebuilds("reshape")
def reshape(layer: Layer) -> Blob:
    """[Seq, 1, C, H, W] in other sizes, three for the last axes or four with the sequence, in one of two orders."""
    given, x = layer.parameters, layer.x
    target = [int(size) for size in given.targetShape]
    if len(target) not in (3, 4):
        raise ValueError(f"a target of {len(target)} sizes, needs 3 or 4")
    sequence, batch = (x.shape[-5] if x.rank > 4 else 1), (x.shape[-4] if x.rank > 3 else 1)
    sequence_after = target[0] if len(target) == 4 else sequence
    if batch != 1 and sequence_after != sequence:
        raise Refused("targetShape that moves numbers between batch and sequence")
    channels, height, width = target[-3:]
    front = (batch,) if sequence_after == 1 else (sequence_after, batch)
    lead = 1 if len(front) == 1 and x.rank > 4 else 0
    if given.mode == given.CHANNEL_FIRST:
        return Blob(reshaped(x.var, (*front, channels, height, width)), lead)
    before = list(range(x.var.rank - 3))
    last = mb.transpose(x=x.var, perm=[*before, *(len(before) + axis for axis in (1, 2, 0))])
    y = reshaped(last, (*front, height, width, channels))
    after = list(range(len(front)))
    return Blob(mb.transpose(x=y, perm=[*after, *(len(after) + axis for axis in (2, 0, 1))]), lead)


@rebuilds("permute")
def permute(layer: Layer) -> Blob:
    """The axes of [Seq, B, C, H, W] in another order, the batch in its place."""
    order = [int(axis) for axis in layer.parameters.axis] or [0, 1, 2, 3]
    if sorted(order) != [0, 1, 2, 3]:
        raise ValueError(f"{order} is no order of four axes")
    x = layer.x
    if order[0] == 0 and x.rank in (4, 5) and x.var.rank == 4:
        return x if order == [0, 1, 2, 3] else x.then(mb.transpose(x=x.var, perm=order))
    if x.rank != 5:
        raise ValueError(f"{x.rank} axes, needs 5")
    places = [0, 2, 3, 4]
    first, *others = (places[axis] for axis in order)
    return Blob(mb.transpose(x=whole(x), perm=[first, 1, *others]))


@rebuilds("transpose")
def transpose(layer: Layer) -> Blob:
    """The axes in another order."""
    axes = [int(axis) for axis in layer.parameters.axes]
    return Blob(mb.transpose(x=whole(layer.x), perm=axes))


def _target(x: Blob, given: Sequence[int], kept_zeros: bool) -> list[int]:
    """`given` with -1 as what is left and, if `kept_zeros`, 0 as the size that was there."""
    shape, sizes = x.shape, [int(size) for size in given]
    if kept_zeros:
        sizes = [shape[i] if size == 0 and i < len(shape) else size for i, size in enumerate(sizes)]
    if sizes.count(-1) == 1:
        rest = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = prod(shape) // rest if rest else 0
    return list(fits(sizes, x))


@rebuilds("reshapeStatic")
def reshape_static(layer: Layer) -> Blob:
    """A stored shape."""
    return Blob(reshaped(whole(layer.x), _target(layer.x, layer.parameters.targetShape, False)))


@rebuilds("rankPreservingReshape")
def rank_preserving_reshape(layer: Layer) -> Blob:
    """A stored shape in which 0 keeps a size."""
    return Blob(reshaped(whole(layer.x), _target(layer.x, layer.parameters.targetShape, True)))


@rebuilds("reshapeLike")
def reshape_like(layer: Layer) -> Blob:
    """The shape of the second input."""
    return Blob(reshaped(whole(layer.x), layer.input(1).shape))


@rebuilds("reshapeDynamic")
def reshape_dynamic(layer: Layer) -> Blob:
    """The shape that the second input holds."""
    sizes = known(layer.input(1), "shape")
    return Blob(reshaped(whole(layer.x), _target(layer.x, sizes, True)))


@rebuilds("squeeze")
def squeeze(layer: Layer) -> Blob:
    """Without chosen axes of size one, or without all of them; one axis always stays."""
    shape, given = layer.x.shape, layer.parameters
    dropped = {axis % len(shape) for axis in given.axes}
    if given.squeezeAll:
        dropped = {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in dropped):
        raise ValueError(f"axes {sorted(dropped)} of {shape} are not all of size one")
    kept = [size for axis, size in enumerate(shape) if axis not in dropped]
    return Blob(reshaped(whole(layer.x), kept or [1]))


@rebuilds("expandDims")
def expand_dims(layer: Layer) -> Blob:
    """With new axes of size one at places counted in the result."""
    axes = [int(axis) for axis in layer.parameters.axes]
    return Blob(mb.expand_dims(x=whole(layer.x), axes=axes))


@rebuilds("stack")
def stack(layer: Layer) -> Blob:
    """The inputs side by side along a new axis."""
    return Blob(mb.stack(values=[whole(blob) for blob in layer.inputs], axis=int(layer.parameters.axis)))


@rebuilds("concat")
def concat(layer: Layer) -> Blob:
    """The inputs one after the other along the channels, or along the sequence."""
    if not layer.parameters.sequenceConcat:
        rank = max(int(blob.var.rank) for blob in layer.inputs)
        if any(int(blob.var.rank) != rank for blob in layer.inputs):
            return Blob(mb.concat(values=[whole(blob) for blob in layer.inputs], axis=-3))
        return layer.x.then(mb.concat(values=[blob.var for blob in layer.inputs], axis=-3))
    if any(blob.rank < 5 for blob in layer.inputs):
        raise ValueError("a sequence needs 5 axes")
    return Blob(mb.concat(values=[whole(blob) for blob in layer.inputs], axis=-5))


@rebuilds("concatND")
def concat_nd(layer: Layer) -> Blob:
    """The inputs one after the other along any axis, or their slices by turns."""
    given = layer.parameters
    values = [whole(blob) for blob in layer.inputs]
    return Blob(mb.concat(values=values, axis=int(given.axis), interleave=bool(given.interleave)))


@rebuilds("sequenceRepeat")
def sequence_repeat(layer: Layer) -> Blob:
    """The sequence, the fifth last axis, repeated."""
    times, x = int(layer.parameters.nRepetitions) or 1, layer.x
    if x.rank < 5:
        raise ValueError(f"{x.rank} axes, needs 5")
    fits([times, *x.shape], x)
    return x if times == 1 else Blob(mb.tile(x=whole(x), reps=[times if a == x.rank - 5 else 1 for a in range(x.rank)]))


@rebuilds("tile")
def tile(layer: Layer) -> Blob:
    """Each axis repeated."""
    x = whole(layer.x)
    reps = known(layer.input(1), "repetitions") if len(layer.inputs) > 1 else [int(n) for n in layer.parameters.reps]
    reps = [1] * (x.rank - len(reps)) + reps
    fits([size * times for size, times in zip(x.shape, reps, strict=True)], layer.x)
    return Blob(mb.tile(x=x, reps=reps))


@rebuilds("broadcastToStatic")
def broadcast_to_static(layer: Layer) -> Blob:
    """Broadcast to a stored shape."""
    return broadcast(layer.x, layer.parameters.targetShape)


@rebuilds("broadcastToLike")
def broadcast_to_like(layer: Layer) -> Blob:
    """Broadcast to the shape of the second input."""
    return broadcast(layer.x, layer.input(1).shape)


@rebuilds("broadcastToDynamic")
def broadcast_to_dynamic(layer: Layer) -> Blob:
    """Broadcast to the shape that the second input holds."""
    return broadcast(layer.x, known(layer.input(1), "shape"))
