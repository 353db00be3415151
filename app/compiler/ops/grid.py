"""Where a resized axis looks into the axis that it comes from: positions, weights, indices, in NumPy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.compiler.ops.registry import NotCovered

MODES = ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS", "UNALIGN_CORNERS")


def positions(size: int, target: int, mode: str, what: str) -> np.ndarray:
    """For each of `target` results its place on the axis, from 0 (first element) to size - 1, in float64.

    The formulas are those of coremltools' `resize_bilinear` (mil/ops/defs/iOS15/image_resizing.py); one result alone
    (where they divide by zero) stands at the start, with ALIGN_CORNERS in the middle, as NeuralNetwork.proto's
    SamplingMode says. Raises NotCovered, naming `what`, for another mode.
    """
    i = np.arange(target, dtype=np.float64)
    if mode == "ALIGN_CORNERS" and target == 1:
        grid = np.array([(size - 1) / 2])
    elif mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        # multiplied before divided: the last one is size - 1 exactly
        grid = i * (size - 1) / max(1, target - 1)
    elif mode == "DEFAULT":
        grid = i * size / target
    elif mode == "OFFSET_CORNERS":
        grid = (i + 0.5) * max(1, size - 1) / target
    elif mode == "UNALIGN_CORNERS":
        grid = (i + 0.5) * size / target - 0.5
    else:
        raise NotCovered(f"{what} (sampling_mode={mode})")
    return np.clip(grid, 0, size - 1)


@lru_cache(maxsize=64)
def interpolation_matrix(size: int, target: int, mode: str, what: str, steps: int) -> np.ndarray:
    """target × size, float32: row i has the two weights that interpolate at the i-th position. Raises NotCovered.

    The weights are whole `steps`-ths, so that a type with that many steps from 1/2 to 1 holds both without rounding:
    they add up to 1, and what is the same everywhere stays so.
    """
    grid = positions(size, target, mode, what)
    low = np.floor(grid).astype(int)
    share = np.round((grid - low) * steps) / steps
    matrix = np.zeros((target, size))
    rows = np.arange(target)
    np.add.at(matrix, (rows, low), 1 - share)
    np.add.at(matrix, (rows, np.minimum(low + 1, size - 1)), share)
    matrix = matrix.astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def nearest_by_edge(size: int, target: int) -> np.ndarray:
    """floor(i · size / target): the element that holds the left edge of the i-th result."""
    return np.arange(target) * size // target


def nearest_by_centre(size: int, target: int) -> np.ndarray:
    """floor((i + 1/2) · size / target): the element that holds the middle of the i-th result."""
    return (2 * np.arange(target) + 1) * size // (2 * target)
