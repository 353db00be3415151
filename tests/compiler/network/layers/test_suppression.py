"""Non-maximum suppression against the greedy algorithm."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx

OUTPUTS = ("boxes", "scores", "places", "many")


def overlap(a, b):
    """Intersection over union of boxes given as centre x, y, width, height."""
    low = np.maximum(a[:2] - a[2:] / 2, b[:2] - b[2:] / 2)
    high = np.minimum(a[:2] + a[2:] / 2, b[:2] + b[2:] / 2)
    both = np.prod(np.maximum(high - low, 0))
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def greedy(boxes, scores, iou, least, most, per_class):
    """The places of one image's boxes that are kept, best first; the best of all when none is good enough."""
    best, kind, kept = scores.max(1), scores.argmax(1), []
    for i in np.argsort(-best):
        if best[i] <= least or len(kept) == most:
            break
        if all(overlap(boxes[i], boxes[j]) <= iou or (per_class and kind[i] != kind[j]) for j in kept):
            kept.append(int(i))
    return kept or [int(best.argmax())]


@pytest.mark.parametrize("per_class", [True, False])
@pytest.mark.parametrize("least", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("as_inputs", [True, False])
def test_what_is_kept(network, run_network, per_class, least, as_inputs):
    draw = np.random.default_rng(3).random
    boxes = np.concatenate([draw((2, 9, 2)), 0.3 + 0.4 * draw((2, 9, 2))], -1).astype(np.float32)
    scores, most = draw((2, 9, 3)).astype(np.float32), 6

    def add(builder):
        more = []
        if as_inputs:
            for name, value in (("iou", 0.3), ("least", least), ("most", most)):
                builder.add_load_constant_nd(name, name, np.array([value]), [1])
                more.append(name)
        stored = {} if as_inputs else {"iou_threshold": 0.3, "score_threshold": least, "max_boxes": most}
        builder.add_nms("layer", ["x0", "x1", *more], list(OUTPUTS), per_class_suppression=per_class, **stored)

    specification = network(add, boxes.shape, scores.shape, outputs=OUTPUTS)
    results = dict(zip(OUTPUTS, run_network(specification, boxes, scores), strict=True))
    for image in range(2):
        kept = greedy(boxes[image], scores[image], 0.3, least, most, per_class)
        assert results["many"][image] == len(kept)
        assert results["places"][image].tolist() == kept + [-1] * (most - len(kept))
        np.testing.assert_array_equal(results["boxes"][image, : len(kept)], boxes[image, kept])
        np.testing.assert_array_equal(results["scores"][image, : len(kept)], scores[image, kept])
        assert not results["boxes"][image, len(kept) :].any()


def test_a_threshold_that_is_an_input_of_the_model_is_refused(network, run_network, noise):
    def add(builder):
        builder.add_nms("layer", ["x0", "x1", "x2"], list(OUTPUTS), max_boxes=2)

    specification = network(add, (1, 3, 4), (1, 3, 2), (1,), outputs=OUTPUTS)
    with pytest.raises(UnsupportedOps, match="a threshold computed at run time"):
        run_network(specification, noise(1, 3, 4), noise(1, 3, 2), noise(1))
