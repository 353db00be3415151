"""Non-maximum suppression against the greedy algorithm, one box after the other."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.registry import NotCovered

pytestmark = pytest.mark.mlx


def overlap(a, b):
    low, high = np.maximum(a[:2] - a[2:] / 2, b[:2] - b[2:] / 2), np.minimum(a[:2] + a[2:] / 2, b[:2] + b[2:] / 2)
    both = np.prod(np.maximum(high - low, 0))
    return both / (np.prod(a[2:]) + np.prod(b[2:]) - both)


def suppressed(boxes, scores, limit, most, per_class, threshold):
    """Boxes, scores, indices and their number for one image; B × 4 and B × K."""
    best, kind = scores.max(axis=1), scores.argmax(axis=1)
    kept = []
    for i in np.argsort(-best, kind="stable"):
        rivals = [j for j in kept if not per_class or kind[i] == kind[j]]
        if best[i] > threshold and all(overlap(boxes[i], boxes[j]) <= limit for j in rivals):
            kept.append(i)
    kept = kept[:most] or [best.argmax()]
    rows = [np.zeros((most, 4)), np.zeros((most, scores.shape[1])), np.full(most, -1)]
    for row, taken in zip(rows, (boxes[kept], scores[kept], kept), strict=True):
        row[: len(kept)] = taken
    return *rows, len(kept)


def photos(n, count, classes, seed):
    rng = np.random.default_rng(seed)
    boxes = np.concatenate([rng.uniform(0, 4, (n, count, 2)), rng.uniform(1, 3, (n, count, 2))], axis=2)
    # no two scores alike, so that there is one order
    scores = rng.permutation(n * count * classes).reshape(n, count, classes) / (n * count * classes)
    return boxes.astype(np.float32), scores.astype(np.float32)


@given(
    n=st.integers(1, 2),
    count=st.integers(1, 12),
    classes=st.integers(1, 3),
    most=st.integers(1, 14),
    per_class=st.booleans(),
    threshold=st.sampled_from([-1.0, 0.5, 2.0]),
    seed=st.integers(0, 99),
)
def test_up_to_ios_16(program_of, run_program, n, count, classes, most, per_class, threshold, seed):
    boxes, scores = photos(n, count, classes, seed)
    options = {
        "iou_threshold": 0.3,
        "score_threshold": threshold,
        "max_boxes": most,
        "per_class_suppression": per_class,
    }
    program = program_of(
        lambda b, s: mb.non_maximum_suppression(boxes=b, scores=s, **options), boxes, scores, opset=ct.target.iOS15
    )
    wanted = [suppressed(b, s, 0.3, most, per_class, threshold) for b, s in zip(boxes, scores, strict=True)]
    for given_one, parts in zip(run_program(program, boxes, scores), zip(*wanted, strict=True), strict=True):
        np.testing.assert_allclose(given_one, np.stack(parts), rtol=1e-6)


@given(count=st.integers(1, 12), classes=st.integers(1, 3), most=st.integers(1, 14), per_class=st.booleans())
def test_since_ios_17_the_boxes_stand_last(program_of, run_program, count, classes, most, per_class):
    boxes, scores = photos(1, count, classes, 0)
    turned = [np.ascontiguousarray(one.swapaxes(1, 2)) for one in (boxes, scores)]
    options = {"iou_threshold": 0.3, "max_boxes": most, "per_class_suppression": per_class}
    program = program_of(lambda b, s: mb.non_maximum_suppression(boxes=b, scores=s, **options), *turned)
    wanted = suppressed(boxes[0], scores[0], 0.3, most, per_class, -np.inf)
    given_boxes, given_scores, indices = run_program(program, *turned)
    np.testing.assert_allclose(given_boxes[0].T, wanted[0], rtol=1e-6)
    np.testing.assert_allclose(given_scores[0].T, wanted[1], rtol=1e-6)
    np.testing.assert_array_equal(indices[0], wanted[2])


def test_empty_boxes_do_not_suppress_each_other(program_of, run_program):
    # the example of coremltools: four boxes of different places, scores about a threshold
    boxes = np.zeros((1, 4, 4), np.float32)
    scores = np.array([[[-3.5], [9.4], [2.3], [0.7]]], np.float32)
    options = {"iou_threshold": 0.2, "score_threshold": 0.4, "max_boxes": 4, "per_class_suppression": True}
    program = program_of(
        lambda b, s: mb.non_maximum_suppression(boxes=b, scores=s, **options), boxes, scores, opset=ct.target.iOS15
    )
    *_, indices, count = run_program(program, boxes, scores)
    np.testing.assert_array_equal(indices, [[1, 2, 3, -1]])
    assert count == [3]


def test_too_many_turns_are_refused(program_of, run_program):
    boxes, scores = photos(1, 2000, 1, 0)
    options = {"iou_threshold": 0.3, "score_threshold": 0.0, "max_boxes": 1500}
    program = program_of(
        lambda b, s: mb.non_maximum_suppression(boxes=b, scores=s, **options), boxes, scores, opset=ct.target.iOS15
    )
    with pytest.raises(NotCovered, match="max_boxes=1500"):
        run_program(program, boxes, scores)
