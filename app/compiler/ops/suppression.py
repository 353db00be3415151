"""MIL's `non_maximum_suppression`, of family `tensor_operation`.

What the documentation leaves open (a row that stays empty, no box above the threshold, classes) is taken from the
reference in coremltools, mil/ops/tests/iOS14/test_tensor_operation.py, TestNonMaximumSuppression.
"""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import NotCovered, lowers

_MOST = 1024
"""Boxes that may be picked: each is a dozen operations in the traced function."""


@lowers("non_maximum_suppression")
def non_maximum_suppression(
    *,
    boxes: mx.array,
    scores: mx.array,
    iou_threshold: float,
    max_boxes: int,
    per_class_suppression: bool = False,
    score_threshold: float | None = None,
) -> tuple[mx.array, ...]:
    """The boxes with the highest scores of which no two overlap by more than `iou_threshold`, the highest first.

    Up to iOS 16, which has a `score_threshold`, boxes are N, B, 4 and scores N, B, K; since iOS 17 N, 4, B; N, K, B.
    A box is its centre x, y, width and height; its score is that of its best class, and `per_class_suppression` lets
    boxes of different best classes overlap. Gives boxes, scores, indices and, up to iOS 16, how many there are; rows
    left over hold zeros and the index -1. There is always one box, for want of a better one below the threshold.
    """
    older = score_threshold is not None
    rows, classes = (boxes, scores) if older else (boxes.swapaxes(1, 2), scores.swapaxes(1, 2))
    indices = _picked(rows, classes, iou_threshold, max_boxes, per_class_suppression, score_threshold)
    there = (indices >= 0)[..., None]
    places = mx.maximum(indices, 0)[..., None]
    given = [mx.where(there, mx.take_along_axis(one, places, axis=1), 0).astype(one.dtype) for one in (rows, classes)]
    if older:
        return (*given, indices, mx.sum(indices >= 0, axis=1).astype(mx.int32))
    return (*(one.swapaxes(1, 2) for one in given), indices)


def _picked(
    boxes: mx.array,
    scores: mx.array,
    iou_threshold: float,
    max_boxes: int,
    per_class: bool,
    score_threshold: float | None,
) -> mx.array:
    """int32 N, max_boxes: the indices of the boxes (N, B, 4; scores N, B, K), -1 where there are no more."""
    turns = min(max_boxes, boxes.shape[1])
    if turns > _MOST:
        raise NotCovered(f"non_maximum_suppression (max_boxes={max_boxes})")
    wide, best = boxes.astype(mx.float32), mx.max(scores, axis=2).astype(mx.float32)
    group = mx.argmax(scores, axis=2) if per_class else None
    numbers, none = mx.arange(boxes.shape[1])[None], mx.array(-float("inf"))
    left = best if score_threshold is None else mx.where(best > score_threshold, best, none)
    picks = []
    for _ in range(turns):
        pick = mx.argmax(left, axis=1, keepdims=True)
        picks.append(mx.where(mx.take_along_axis(left, pick, axis=1) > none, pick.astype(mx.int32), -1))
        gone = _overlap(mx.take_along_axis(wide, pick[..., None], axis=1), wide) > iou_threshold
        if group is not None:
            gone = gone & (group == mx.take_along_axis(group, pick, axis=1))
        left = mx.where(gone | (numbers == pick), none, left)
    highest = mx.argmax(best, axis=1, keepdims=True).astype(mx.int32)
    picks[0] = mx.where(picks[0] < 0, highest, picks[0])
    picks += [mx.full(picks[0].shape, -1, dtype=mx.int32)] * (max_boxes - turns)
    return mx.concatenate(picks, axis=1)


def _overlap(one: mx.array, others: mx.array) -> mx.array:
    """Intersection over union, N, B, of the box N, 1, 4 with the boxes N, B, 4; 0 where both are empty."""
    low = mx.maximum(one[..., :2] - one[..., 2:] / 2, others[..., :2] - others[..., 2:] / 2)
    high = mx.minimum(one[..., :2] + one[..., 2:] / 2, others[..., :2] + others[..., 2:] / 2)
    both = mx.prod(mx.maximum(high - low, 0), axis=-1)
    union = mx.prod(one[..., 2:], axis=-1) + mx.prod(others[..., 2:], axis=-1) - both
    return mx.where(union > 0, both / mx.maximum(union, 1e-30), 0)
