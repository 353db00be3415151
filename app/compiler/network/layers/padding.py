"""Layers that add a border or cut one off."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, fits, known, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.layers.convolution import Edges, border, flat


@rebuilds("padding")
def padding(layer: Layer) -> Blob:
    """A border around the last two axes: one value, the pixels mirrored, or the outermost ones repeated."""
    given, x = layer.parameters, layer.x
    edges = border(given.paddingAmounts)
    kind = given.WhichOneof("PaddingType")
    if kind in (None, "constant"):
        return x.then(_constant_border(x, [(0, 0)] * (x.var.rank - 2) + edges, given.constant.value))
    mode = {"reflection": "reflect", "replication": "replicate"}[kind]
    sizes = x.var.shape[-2:]
    if mode == "reflect" and any(max(edge) >= size for edge, size in zip(edges, sizes, strict=True)):
        raise ValueError(f"a mirrored border of {edges} around {tuple(sizes)}")
    fits([*x.shape[:-2], *(size + sum(edge) for edge, size in zip(edges, sizes, strict=True))], x)
    return x.then(mb.pad(x=x.var, pad=flat(edges), mode=mode))


def _constant_border(x: Blob, edges: Edges, value: float) -> Any:
    fits([int(size) + sum(edge) for size, edge in zip(x.var.shape, edges, strict=True)], x)
    if not any(sum(edge) for edge in edges):
        return x.var
    return mb.pad(x=x.var, pad=flat(edges), mode="constant", constant_val=np.float32(value))


@rebuilds("constantPad")
def constant_pad(layer: Layer) -> Blob:
    """A border of one value on any axes: of given widths, or as wide as a given size needs."""
    given, x = layer.parameters, Blob(whole(layer.x))
    amounts = known(layer.input(1), "border") if len(layer.inputs) > 1 else [int(a) for a in given.padAmounts]
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    if len(pairs) != x.rank:
        raise ValueError(f"{len(pairs)} borders for {x.rank} axes")
    if given.padToGivenOutputSizeMode:
        pairs = [
            (max(a - int(size), 0), 0) if a else (0, max(b - int(size), 0))
            for size, (a, b) in zip(x.shape, pairs, strict=True)
        ]
    return Blob(_constant_border(x, pairs, given.value))


@rebuilds("crop")
def crop(layer: Layer) -> Blob:
    """The last two axes without given borders, or from given offsets on as large as those of the second input."""
    given, x = layer.parameters, layer.x
    height, width = (int(size) for size in x.var.shape[-2:])
    (top, bottom), (left, right) = border(given.cropAmounts)
    if len(layer.inputs) > 1:
        offsets = [int(offset) for offset in given.offset] or [0, 0]
        wanted = [int(size) for size in layer.input(1).var.shape[-2:]]
        if len(offsets) == 1:
            offsets *= 2
        (top, left), bottom, right = offsets, height - offsets[0] - wanted[0], width - offsets[1] - wanted[1]
    if min(top, bottom, left, right) < 0 or top + bottom >= height or left + right >= width:
        raise ValueError(f"nothing is left of {height} × {width}")
    if not (top or bottom or left or right):
        return x
    rank = int(x.var.rank)
    begin, end = [0] * (rank - 2) + [top, left], [0] * (rank - 2) + [height - bottom, width - right]
    kept = [True] * (rank - 2) + [False, False]
    return x.then(mb.slice_by_index(x=x.var, begin=begin, end=end, begin_mask=kept, end_mask=kept))
