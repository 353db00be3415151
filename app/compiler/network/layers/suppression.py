"""Non-maximum suppression as a layer, at the end of some detectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, as_floats, fits, known, whole
from app.compiler.network.layer import Layer, rebuilds


@rebuilds("NonMaximumSuppression")
def suppressed(layer: Layer) -> list[Blob]:
    """Boxes B×N×4, scores B×N×C: the boxes that are kept, their scores, their places, and how many there are.

    Left-over rows hold zeros and the place -1. When no score is above the threshold the best box is kept.
    """
    given, boxes, scores = layer.parameters, whole(layer.x), whole(layer.input(1))
    most = known(layer.input(4), "maxBoxes")[0] if len(layer.inputs) > 4 else int(given.maxBoxes)
    fits([int(boxes.shape[0]), most, 4], layer.x)
    places = _places(layer, boxes, scores, most)
    there = mb.greater_equal(x=places, y=0)
    kept = [_rows(values, places, there) for values in (boxes, scores)]
    many = mb.reduce_sum(x=as_floats(there), axes=[1], keep_dims=False)
    return [*kept, Blob(as_floats(places)), Blob(many)]


def _places(layer: Layer, boxes: Any, scores: Any, most: int) -> Any:
    """int32 B×most: the places of the boxes that are kept, best first, then -1."""
    given = layer.parameters
    least = _threshold(layer, 3, given.scoreThreshold)
    best = mb.reduce_max(x=scores, axes=[2], keep_dims=True)
    # MIL's operation has no threshold since iOS 17; it never picks a box of score -∞.
    eligible = mb.select(cond=mb.greater(x=best, y=least), a=scores, b=np.float32(-np.inf))
    *_, places = mb.non_maximum_suppression(
        boxes=mb.transpose(x=boxes, perm=[0, 2, 1]),
        scores=mb.transpose(x=eligible, perm=[0, 2, 1]),
        iou_threshold=_threshold(layer, 2, given.iouThreshold),
        max_boxes=most,
        per_class_suppression=bool(given.perClassSuppression),
    )
    best = mb.squeeze(x=best, axes=[2])
    none = mb.less_equal(x=mb.reduce_max(x=best, axes=[1], keep_dims=True), y=least)
    only = mb.logical_and(x=none, y=np.arange(most)[None] == 0)
    return mb.select(cond=only, a=mb.reduce_argmax(x=best, axis=1, keep_dims=True), b=places)


def _rows(values: Any, places: Any, there: Any) -> Blob:
    """Rows of B×N×K at B×M places, zeros where there is none."""
    rows = mb.gather(x=values, indices=mb.maximum(x=places, y=0), axis=1, batch_dims=1)
    return Blob(mb.select(cond=mb.expand_dims(x=there, axes=[2]), a=rows, b=np.float32(0)))


def _threshold(layer: Layer, index: int, stored: float) -> np.float32:
    """The input of that number, which has to be known, or what is stored. Raises Refused."""
    if index >= len(layer.inputs):
        return np.float32(stored)
    values = layer.input(index).values
    if values is None:
        raise Refused("a threshold computed at run time")
    return np.float32(values.reshape(-1)[0])
