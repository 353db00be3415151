"""What flows between layers: MIL values, with the axes of the older shape rules.

Files before specification 4 call every blob [Sequence, Batch, Channel, Height, Width]. All but the last four of these
sizes are one in practice, and MIL's convolutions want four axes, so a blob may leave leading axes of size one out:
[1, 1, C, H, W] is held as a MIL value of 1×C×H×W and `lead` 1. Layers that count axes from the end, which is how
NeuralNetwork.proto defines them, need not know. `whole` writes the left-out axes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

ELEMENT_LIMIT = 2**31
CONSTANT_LIMIT = 2**27
"""No value, and no value that is known before any input is, may have more elements: 8 GiB and half a GiB as float32,
more than any layer of a vision network needs. Known values are worked out while the network is rebuilt."""


class Refused(Exception):
    """A parameter of a layer that is not covered; the text names it: "int8DynamicQuantize"."""


@dataclass(frozen=True, eq=False)
class Blob:
    """A float32 MIL value, standing for one with `lead` more axes of size one in front."""

    var: Any
    lead: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """All sizes, the left-out ones included."""
        return (1,) * self.lead + tuple(int(size) for size in self.var.shape)

    @property
    def rank(self) -> int:
        return self.lead + int(self.var.rank)

    @property
    def values(self) -> np.ndarray | None:
        """What it holds when that is known before any input is."""
        return None if self.var.val is None else np.asarray(self.var.val)

    def then(self, var: Any) -> Blob:
        """`var` with the same axes left out; it has as many as this value has."""
        return Blob(var, self.lead)

    def axis(self, axis: int) -> int:
        """An axis counted from the front or the end of all, as one counted from the end. Raises ValueError."""
        if not -self.rank <= axis < self.rank:
            raise ValueError(f"axis {axis} of {self.rank}")
        return axis if axis < 0 else axis - self.rank


def constant(array: np.ndarray, lead: int = 0) -> Blob:
    """A known value, held as float32 (float16 is exact in it)."""
    return Blob(mb.const(val=np.asarray(array, np.float32)), lead)


def whole(blob: Blob) -> Any:
    """The MIL value with all its axes."""
    return mb.expand_dims(x=blob.var, axes=list(range(blob.lead))) if blob.lead else blob.var


def with_axes(blob: Blob, least: int) -> Blob:
    """The same blob whose MIL value has at least so many axes, where it has left out enough of them."""
    missing = least - int(blob.var.rank)
    if missing <= 0:
        return blob
    if missing > blob.lead:
        raise ValueError(f"{least} axes needed, {blob.rank} there")
    return Blob(mb.expand_dims(x=blob.var, axes=list(range(missing))), blob.lead - missing)


def reshaped(var: Any, shape: Sequence[int]) -> Any:
    """`var` in another shape, or itself. Raises ValueError where the sizes do not fit."""
    shape = [int(size) for size in shape]
    if -1 not in shape and prod(shape) != prod(var.shape):
        raise ValueError(f"{tuple(var.shape)} cannot become {tuple(shape)}")
    # Layers of old files reshape what the layer before has just reshaped.
    source = var.op.x if var.op is not None and var.op.op_type == "reshape" else var
    return source if list(source.shape) == shape else mb.reshape(x=source, shape=shape)


def spatial(blob: Blob) -> tuple[Any, Callable[[Any], Blob]]:
    """The blob as N×C×H×W, all axes before the last three in one, and the way back for a result of that form.

    Raises ValueError for fewer than three axes.
    """
    if blob.rank < 3:
        raise ValueError(f"at least 3 axes needed, {blob.rank} there")
    blob = with_axes(blob, 3)
    rank = int(blob.var.rank)
    if rank == 4:
        return blob.var, blob.then
    if rank == 3 and blob.lead:
        return mb.expand_dims(x=blob.var, axes=[0]), lambda y: Blob(y, blob.lead - 1)
    if rank == 3:
        return mb.expand_dims(x=blob.var, axes=[0]), lambda y: Blob(mb.squeeze(x=y, axes=[0]))
    front = tuple(blob.var.shape[:-3])
    folded = reshaped(blob.var, (prod(front), *blob.var.shape[-3:]))
    return folded, lambda y: blob.then(reshaped(y, (*front, *y.shape[-3:])))


def together(operation: Callable[..., Any], a: Blob, b: Blob) -> Blob:
    """`operation(x=a, y=b)`, broadcast from the end."""
    fits(np.broadcast_shapes(a.shape, b.shape), a, b)
    var = operation(x=a.var, y=b.var)
    return Blob(var, max(a.rank, b.rank) - int(var.rank))


def as_floats(var: Any) -> Any:
    """Booleans and whole numbers as the layers hand them on: as float32."""
    return mb.cast(x=var, dtype="fp32")


def as_indices(var: Any) -> Any:
    """Float32 whole numbers as MIL wants indices: as int32."""
    if var.op is not None and var.op.op_type == "cast" and var.op.x.dtype == types.int32:
        return var.op.x
    return mb.cast(x=var, dtype="int32")


def as_truth(var: Any) -> Any:
    """True where the float is not zero."""
    if var.op is not None and var.op.op_type == "cast" and types.is_bool(var.op.x.dtype):
        return var.op.x
    return mb.not_equal(x=var, y=np.float32(0))


def known(blob: Blob, what: str) -> list[int]:
    """Whole numbers that must be known before any input is. Raises Refused naming `what`."""
    if blob.values is None:
        raise Refused(f"{what} computed at run time")
    return [int(number) for number in blob.values.reshape(-1)]


def fits(shape: Sequence[int], *made_of: Blob) -> tuple[int, ...]:
    """`shape`, when a value made of these blobs may be as large. Raises ValueError."""
    limit = CONSTANT_LIMIT if all(blob.values is not None for blob in made_of) else ELEMENT_LIMIT
    if any(size < 0 for size in shape) or prod(shape) > limit:
        raise ValueError(f"a value of {' × '.join(map(str, shape))} elements")
    return tuple(int(size) for size in shape)


def broadcast(x: Blob, shape: Sequence[int]) -> Blob:
    """x repeated along axes of size one, new ones in front included. Raises ValueError."""
    shape = fits([int(size) for size in shape], x)
    old = (1,) * (len(shape) - x.rank) + x.shape
    if len(old) != len(shape) or any(a not in (1, b) for a, b in zip(old, shape, strict=True)):
        raise ValueError(f"{x.shape} does not broadcast to {shape}")
    var = reshaped(whole(x), old)
    reps = [b if a == 1 else 1 for a, b in zip(old, shape, strict=True)]
    return Blob(mb.tile(x=var, reps=reps) if max(reps, default=1) > 1 else var)
