"""Matrix products, tables of vectors, and scales and biases."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, as_indices, reshaped, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import count, of_one_type, weights, wide


def _bias(given: Any, size: int) -> np.ndarray | None:
    return weights(given.bias, (size,)) if given.hasBias else None


@rebuilds("innerProduct")
def inner_product(layer: Layer) -> Blob:
    """W x + b over the last axis of up to three, or over channels, height and width of four or five."""
    given, x = layer.parameters, layer.x
    if given.int8DynamicQuantize:
        raise Refused("int8DynamicQuantize")
    weight, bias = of_one_type(
        weights(given.weights, (given.outputChannels, given.inputChannels)), _bias(given, given.outputChannels)
    )
    if x.rank <= 3:
        return x.then(mb.linear(x=x.var, weight=weight, bias=bias))
    front = _front(x)
    flat = reshaped(x.var, (*front, prod(x.var.shape[-3:])))
    y = mb.linear(x=flat, weight=weight, bias=bias)
    return x.then(reshaped(y, (*front, int(given.outputChannels), 1, 1)))


def _front(x: Blob) -> tuple[int, ...]:
    """The sizes before the last three."""
    return tuple(int(size) for size in x.var.shape[:-3])


@rebuilds("batchedMatmul")
def batched_matmul(layer: Layer) -> Blob:
    """The product of two inputs as matrices in their last two axes, or of one with a stored matrix."""
    given = layer.parameters
    if len(layer.inputs) == 1:
        if given.int8DynamicQuantize:
            raise Refused("int8DynamicQuantize")
        rows, columns = int(given.weightMatrixFirstDimension), int(given.weightMatrixSecondDimension)
        # Stored by columns, which is the transposed matrix by rows, which is what MIL's linear wants.
        weight, bias = of_one_type(weights(given.weights, (columns, rows)), _bias(given, columns))
        return layer.x.then(mb.linear(x=layer.x.var, weight=weight, bias=bias))
    a, b = whole(layer.x), whole(layer.input(1))
    a = mb.expand_dims(x=a, axes=[0]) if a.rank == 1 else a
    b = mb.expand_dims(x=b, axes=[1]) if b.rank == 1 else b
    return Blob(mb.matmul(x=a, y=b, transpose_x=given.transposeA, transpose_y=given.transposeB))


@rebuilds("embedding")
def embedding(layer: Layer) -> Blob:
    """The stored vector of each index; the last three axes are (1, 1, 1) before and (vector, 1, 1) after."""
    given, x = layer.parameters, layer.x
    front = _front(x)
    indices = reshaped(x.var, front)
    return x.then(reshaped(_rows(given, given.inputDim, given.outputChannels, indices), (*front, -1, 1, 1)))


@rebuilds("embeddingND")
def embedding_nd(layer: Layer) -> Blob:
    """The stored vector of each index; the last axis is 1 before and the vector after."""
    given, x = layer.parameters, layer.x
    indices = reshaped(x.var, x.var.shape[:-1])
    return x.then(_rows(given, given.vocabSize, given.embeddingSize, indices))


def _rows(given: Any, many: int, size: int, indices: Any) -> Any:
    """Columns of the stored matrix [size, many], chosen by float indices, plus the bias."""
    table = np.ascontiguousarray(weights(given.weights, (size, many)).T)
    rows = mb.gather(x=table, indices=as_indices(indices), axis=0)
    if table.dtype == np.float16:
        rows = mb.cast(x=rows, dtype="fp32")
    bias = _bias(given, size)
    return rows if bias is None else mb.add(x=rows, y=bias.astype(np.float32))


@rebuilds("scale")
def scale(layer: Layer) -> Blob:
    """x times a stored scale, plus a stored bias if there is one; each of shape [1], [C], [1, H, W] or [C, H, W]."""
    given, x = layer.parameters, layer.x
    y = mb.mul(x=x.var, y=_stored(given.scale, given.shapeScale))
    return x.then(mb.add(x=y, y=_stored(given.bias, given.shapeBias)) if given.hasBias else y)


@rebuilds("bias")
def bias(layer: Layer) -> Blob:
    """x plus a stored bias of shape [1], [C], [1, H, W] or [C, H, W]."""
    return layer.x.then(mb.add(x=layer.x.var, y=_stored(layer.parameters.bias, layer.parameters.shape)))


def _stored(parameters: Any, shape: Sequence[int]) -> np.ndarray:
    """The numbers as they broadcast against C×H×W."""
    shape = tuple(int(size) for size in shape) or (count(parameters),)
    array = wide(parameters, shape)
    return array.reshape(-1, 1, 1) if array.ndim == 1 else array


@rebuilds("dot")
def dot(layer: Layer) -> Blob:
    """The product of two vectors along the third last axis, or the cosine of the angle between them."""
    a, b = layer.x, layer.input(1)
    product = _summed(mb.mul(x=a.var, y=b.var))
    if layer.parameters.cosineSimilarity:
        lengths = [mb.sqrt(x=_summed(mb.square(x=one.var))) for one in (a, b)]
        product = mb.real_div(x=product, y=mb.mul(x=lengths[0], y=lengths[1]))
    return Blob(product, max(a.rank, b.rank) - int(product.rank))


def _summed(x: Any) -> Any:
    return mb.reduce_sum(x=x, axes=[-3], keep_dims=True)
