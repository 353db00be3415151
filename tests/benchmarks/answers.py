"""Rows: the same answers as PyTorch with the original weights."""

from __future__ import annotations

import numpy as np
from lanes import LITE0, LITE2, lane, sample_photos
from rows import Row, measured, not_measured
from turns import ROOT

from app.engine.blocking import OpenLane
from app.imaging.crop import Crop
from app.imaging.photo import open_photo

LARGEST_DIFFERENCE = 0.02


def measure() -> list[Row]:
    """Two rows a model: how many first answers differ, and how far a probability is off. Photos take the whole way."""
    rows = []
    for model, reference in ((LITE0, "reference_lite0"), (LITE2, "reference_lite2")):
        name, what = f"answers-{reference[-5:]}", f"{model} on MLX CPU fp32 against PyTorch, all sample photos"
        file = ROOT / "tests" / "data" / f"{reference}.npz"
        if not file.exists():
            rows.append(not_measured(name, what, f"{file.name} is missing"))
            continue
        with np.load(file) as kept:
            right = dict(zip(kept["photos"].tolist(), kept["probabilities"], strict=True))
        given = _answers(model)
        differing = [photo for photo in right if right[photo].argmax() != given[photo].argmax()]
        off = {photo: float(np.abs(right[photo] - given[photo]).max()) for photo in right}
        rows.append(
            measured(
                f"{name}-top1",
                f"{what}: other first answers",
                len(differing),
                f"of {len(right)}",
                0,
                detail={"photos": differing},
            )
        )
        rows.append(
            measured(
                f"{name}-probability",
                f"{what}: largest difference of a probability",
                max(off.values()),
                "",
                LARGEST_DIFFERENCE,
                detail={"by_photo": off},
            )
        )
    return rows


def _answers(model: str) -> dict[str, np.ndarray]:
    """File name of a sample photo -> class probabilities."""
    with OpenLane(lane(model)) as engine:
        return {
            path.name: np.frombuffer(
                engine.classify(open_photo(path).rgb_hwc, Crop.CENTRE).probabilities, dtype=np.float32
            )
            for path in sample_photos()
        }
