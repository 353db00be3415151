"""Whether two lanes give the same answer. A lane that answers something else is wrong, not fast."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.i18n import N_, _

TOP = 5
LARGEST_DIFFERENCE = 0.05
"""Five points are another answer to a reader. Half precision stays well below: over the sample photos, MLX on the CPU
with EfficientNet-Lite0 moves a probability by at most 0.15 points in fp16 and 2.2 points in bf16."""
SMALLEST_COSINE = 0.99

SENTENCES = {
    "not-finite": N_("its probabilities are not numbers"),
    "top-1": N_("its first answer is another one"),
    "difference": N_("a probability differs by more than 5 points"),
    "cosine": N_("its probabilities are distributed differently"),
}
"""Why a lane disagrees: id -> what to say."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How near one lane's class probabilities are to the reference's."""

    same_top1: bool
    top5_overlap: float
    """Share of the reference's five likeliest classes that are among the other's five, 0 to 1."""
    cosine: float
    """Cosine of the angle between the two rows of probabilities; 0 where it is not defined."""
    largest_difference: float
    """Largest absolute difference of one class's probability, 0 to 1."""
    agrees: bool
    reasons: tuple[str, ...]
    """Ids of `SENTENCES`; empty when it agrees."""


def compare(reference: ArrayLike, other: ArrayLike) -> Agreement:
    """How near `other` is to `reference`; both are probabilities in the order of the labels.

    Two classes that the reference holds equally likely, up to the tolerance, may change places. Raises ValueError
    when the rows differ in length or are empty.
    """
    right, given = np.asarray(reference, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if right.shape != given.shape or right.ndim != 1 or right.size == 0:
        raise ValueError(f"rows of the same classes are needed, not {right.shape} against {given.shape}")
    if not np.isfinite(right + given).all():
        return Agreement(
            same_top1=False, top5_overlap=0.0, cosine=0.0, largest_difference=1.0, agrees=False, reasons=("not-finite",)
        )
    first_right, first_given = int(right.argmax()), int(given.argmax())
    difference, cosine = float(np.abs(right - given).max()), _cosine(right, given)
    found = {
        "top-1": right[first_right] - right[first_given] > LARGEST_DIFFERENCE,
        "difference": difference > LARGEST_DIFFERENCE,
        "cosine": cosine < SMALLEST_COSINE,
    }
    reasons = tuple(reason for reason, holds in found.items() if holds)
    return Agreement(
        same_top1=first_right == first_given,
        top5_overlap=_overlap(right, given),
        cosine=cosine,
        largest_difference=difference,
        agrees=not reasons,
        reasons=reasons,
    )


def reason_sentence(reason: str) -> str:
    """What to say for an id in `Agreement.reasons`, in the current language."""
    return _(SENTENCES[reason])


def _overlap(right: NDArray[np.float64], given: NDArray[np.float64]) -> float:
    count = min(TOP, right.size)
    return len(set(_top(right, count)) & set(_top(given, count))) / count


def _top(row: NDArray[np.float64], count: int) -> list[int]:
    """Indices of the largest, equal ones in label order."""
    return [int(index) for index in np.argsort(-row, kind="stable")[:count]]


def _cosine(right: NDArray[np.float64], given: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(right) * np.linalg.norm(given))
    return float(right @ given) / lengths if lengths > 0 else 0.0
