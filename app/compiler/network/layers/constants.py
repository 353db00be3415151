"""Layers that give values which do not depend on any input."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from app.compiler.network.blobs import Blob, Refused, constant, fits, known
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import weights


@rebuilds("loadConstant")
def load_constant(layer: Layer) -> Blob:
    """Stored values of shape [C, H, W], with five axes as all blobs of old files."""
    shape = fits(layer.parameters.shape)
    if len(shape) != 3:
        raise ValueError(f"a constant of {len(shape)} axes, needs 3")
    return constant(weights(layer.parameters.data, (1, *shape)), lead=1)


@rebuilds("loadConstantND")
def load_constant_nd(layer: Layer) -> Blob:
    """Stored values of any shape."""
    return constant(weights(layer.parameters.data, fits(layer.parameters.shape)))


def _filled(shape: Sequence[int], value: float) -> Blob:
    return constant(np.full(fits([int(size) for size in shape]), value, np.float32))


@rebuilds("fillLike")
def fill_like(layer: Layer) -> Blob:
    """One value in the shape of the input."""
    return _filled(layer.x.shape, layer.parameters.value)


@rebuilds("fillStatic")
def fill_static(layer: Layer) -> Blob:
    """One value in a stored shape."""
    return _filled(layer.parameters.targetShape, layer.parameters.value)


@rebuilds("fillDynamic")
def fill_dynamic(layer: Layer) -> Blob:
    """One value in the shape that the input holds."""
    return _filled(known(layer.x, "shape"), layer.parameters.value)


@rebuilds("rangeStatic")
def range_static(layer: Layer) -> Blob:
    """Evenly spaced values from start up to end, without it."""
    given = layer.parameters
    return _range(given.endValue, given.startValue, given.stepSizeValue)


@rebuilds("rangeDynamic")
def range_dynamic(layer: Layer) -> Blob:
    """Evenly spaced values; end and perhaps start and step are inputs."""
    given = layer.parameters
    stored = [0.0, given.startValue, given.stepSizeValue]
    for index, blob in enumerate(layer.inputs[:3]):
        if blob.values is None:
            raise Refused("range computed at run time")
        stored[index] = float(blob.values.reshape(()))
    return _range(*stored)


def _range(end: float, start: float, step: float) -> Blob:
    if not step or not np.isfinite([end, start, step]).all():
        raise ValueError(f"a range from {start} to {end} in steps of {step}")
    fits([max(ceil((end - start) / step), 0)])
    return constant(np.arange(start, end, step, np.float32))


@rebuilds("getShape")
def get_shape(layer: Layer) -> Blob:
    """The sizes of the input."""
    return constant(np.array(layer.x.shape, np.float32))
