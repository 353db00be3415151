"""Layers that reduce axes, sort along one, or sum up along one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, as_floats, known, whole
from app.compiler.network.layer import Layer, rebuilds

_EPSILON = 1e-6
"""NeuralNetwork.proto: what the epsilon of LOGSUM stands for when it is unset or zero."""

_ND = {
    "reduceL1": mb.reduce_l1_norm,
    "reduceL2": mb.reduce_l2_norm,
    "reduceMax": mb.reduce_max,
    "reduceMin": mb.reduce_min,
    "reduceSum": mb.reduce_sum,
    "reduceProd": mb.reduce_prod,
    "reduceMean": mb.reduce_mean,
    "reduceLogSum": mb.reduce_log_sum,
    "reduceSumSquare": mb.reduce_sum_square,
    "reduceLogSumExp": mb.reduce_log_sum_exp,
}


@rebuilds("reduce")
def reduce(layer: Layer) -> Blob:
    """The last three, two, or one of the last three axes reduced to size one."""
    given, x = layer.parameters, layer.x
    axes = {given.CHW: [-3, -2, -1], given.HW: [-2, -1], given.C: [-3], given.H: [-2], given.W: [-1]}[given.axis]
    if given.mode == given.ARGMAX:
        if len(axes) > 1:
            raise ValueError("the place of the largest value along several axes")
        return x.then(as_floats(mb.reduce_argmax(x=x.var, axis=axes[0], keep_dims=True)))
    if given.mode == given.LOGSUM:
        # Not MIL's reduce_log_sum, which is the logarithm of the sum.
        logs = mb.log(x=mb.add(x=x.var, y=np.float32(given.epsilon or _EPSILON)))
        return x.then(mb.reduce_sum(x=logs, axes=axes, keep_dims=True))
    operations: dict[int, Callable[..., Any]] = {
        given.SUM: mb.reduce_sum, given.AVG: mb.reduce_mean, given.PROD: mb.reduce_prod,
        given.SUMSQUARE: mb.reduce_sum_square, given.L1: mb.reduce_l1_norm, given.L2: mb.reduce_l2_norm,
        given.MAX: mb.reduce_max, given.MIN: mb.reduce_min,
    }  # fmt: skip
    return x.then(operations[given.mode](x=x.var, axes=axes, keep_dims=True))


@rebuilds(*_ND)
def reduce_nd(layer: Layer) -> Blob:
    """Any axes reduced, kept with size one or dropped; when all are dropped one axis of size one stays."""
    given, x = layer.parameters, whole(layer.x)
    axes = list(range(x.rank)) if given.reduceAll or not given.axes else [int(axis) for axis in given.axes]
    y = _ND[layer.kind](x=x, axes=axes, keep_dims=bool(given.keepDims))
    return Blob(_never_scalar(y))


def _never_scalar(y: Any) -> Any:
    """NeuralNetwork blobs have at least one axis."""
    return mb.expand_dims(x=y, axes=[0]) if y.rank == 0 else y


@rebuilds("argMax", "argMin")
def arg_extreme(layer: Layer) -> Blob:
    """Where the largest or smallest value along an axis is, as a float."""
    x, axis = whole(layer.x), layer.x.axis(int(layer.parameters.axis))
    keep = not layer.parameters.removeDim or x.rank == 1
    operation = mb.reduce_argmax if layer.kind == "argMax" else mb.reduce_argmin
    return Blob(as_floats(operation(x=x, axis=axis, keep_dims=keep)))


@rebuilds("topK")
def top_k(layer: Layer) -> tuple[Blob, Blob]:
    """The K largest or smallest values along an axis, best first, and where they are."""
    given, x = layer.parameters, whole(layer.x)
    k = known(layer.input(1), "K")[0] if len(layer.inputs) > 1 else int(given.K)
    values, places = mb.topk(x=x, k=k, axis=layer.x.axis(int(given.axis)), ascending=bool(given.useBottomK))
    return Blob(values), Blob(as_floats(places))


@rebuilds("argSort")
def arg_sort(layer: Layer) -> Blob:
    """The places of the values along an axis, in the order of the values."""
    given, axis = layer.parameters, layer.x.axis(int(layer.parameters.axis))
    return Blob(as_floats(mb.argsort(x=whole(layer.x), axis=axis, ascending=not given.descending)))


@rebuilds("cumSum")
def cumulative_sum(layer: Layer) -> Blob:
    """Sums up to each element of an axis, with it or without, from either end."""
    given, x = layer.parameters, whole(layer.x)
    axis = known(layer.input(1), "axis")[0] if len(layer.inputs) > 1 else int(given.axis)
    return Blob(mb.cumsum(x=x, axis=axis % x.rank, exclusive=bool(given.excludeFinalSum), reverse=bool(given.reverse)))
