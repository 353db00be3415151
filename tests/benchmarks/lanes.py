"""The lanes and photos that the benchmarks use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app import paths
from app.engine.blocking import OpenLane
from app.engine.messages import Lane
from app.imaging.crop import Crop
from app.imaging.photo import open_photo

LITE0, LITE2 = "EfficientNet-Lite0-fp16", "EfficientNet-Lite2-fp16"


def lane(model: str, precision: str = "fp32") -> Lane:
    """The lane of a built-in model on the CPU through MLX, the target that every machine has."""
    return Lane(model=str(paths.resource("models", f"{model}.mlpackage")), target="mlx-cpu", precision=precision)  # type: ignore[arg-type]


def sample_photos() -> list[Path]:
    """All sample photos in their order."""
    rows = json.loads(paths.resource("samples", "samples.json").read_text("utf-8"))["samples"]
    return [paths.resource("samples", row["file"]) for row in rows]


def first_photo() -> np.ndarray:
    """Pixels of the photo that the program starts with."""
    return open_photo(sample_photos()[0]).rgb_hwc


def block_of(engine: OpenLane, photo_rgb: np.ndarray, samples: int) -> list[float]:
    """Engine times in ns of that many measured samples."""
    run = engine.run(photo_rgb, Crop.CENTRE, warmup=2, samples=samples)
    times: list[float] = run["engine_ns"][run["warmup"] == 0].tolist()
    return times
