"""From class probabilities to the answers that a person reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.engine.messages import Answer


def top_answers(probabilities: np.ndarray, labels: Sequence[str], top: int) -> tuple[Answer, ...]:
    """The `top` most probable classes, most probable first; of equals the earlier class comes first.

    `probabilities` is one-dimensional, in the order of `labels`.
    """
    order = np.argsort(-probabilities, kind="stable")[:top].tolist()
    return tuple(Answer(index=i, label=labels[i], probability=float(probabilities[i])) for i in order)
