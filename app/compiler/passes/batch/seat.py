"""Where a value keeps N images when the program was written for one.

A tensor of one image is a row of numbers; a tensor of N images has the image's number somewhere in its index. Read in
row-major order an element stands at (before, image, after): `after` elements of one image follow each other before the
next image's turn comes. A `Seat` is that place, said in terms of the declared shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Seat:
    """`axis` of the declared shape is N times as long; in it the images take turns every `inner` elements.

    inner = the declared size: N blocks one after the other (windows of N images on the first axis). inner = 1: images
    take turns at each step (tokens × images). Both the same where the declared size is 1. `axis` -1 is the seat LEAD:
    one more axis in front, so that the shape is (N, *declared).
    """

    axis: int
    inner: int


LEAD = Seat(-1, 1)


def real_shape(declared: tuple[int, ...], seat: Seat, batch: int) -> tuple[int, ...]:
    """The shape with N images."""
    if seat == LEAD:
        return (batch, *declared)
    return tuple(size * batch if axis == seat.axis else size for axis, size in enumerate(declared))


def after(declared: tuple[int, ...], seat: Seat) -> int:
    """How many elements of one image follow each other in row-major order."""
    return prod(declared) if seat == LEAD else seat.inner * prod(declared[seat.axis + 1 :])


def seats_like(shape: tuple[int, ...], following: int) -> list[Seat]:
    """The seats in `shape` with that many elements `after` them, best first.

    All name the same order of numbers, so a reshape leads from one to another. An axis of size 1 is best, the first of
    them; then one that becomes N whole blocks (heads, windows), but not the last, which matrix products and norms run
    along; then the others. LEAD is not among them.
    """
    found: list[tuple[int, Seat]] = []
    for axis, size in enumerate(shape):
        behind = prod(shape[axis + 1 :])
        if not following or following % behind or size % (inner := following // behind):
            continue
        blocks = inner == size and axis < len(shape) - 1
        found.append((0 if size == 1 else 1 if blocks else 2, Seat(axis, inner)))
    return [seat for _, seat in sorted(found, key=lambda one: one[0])]
