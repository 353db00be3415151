"""From a photo of any size to the size that a model wants: the part that it sees (`view.py`), resampled."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from PIL import Image

from app.imaging.view import BAR_GREY, Box, Crop, View, view

__all__ = ["BAR_GREY", "Crop", "View", "prepare", "view"]

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_REACH = {"bilinear": 1.0, "bicubic": 2.0}
"""How far a filter looks to each side, in pixels of the result (of the photo, when that is enlarged)."""

_CACHE_BYTES = 1 << 20
"""Rows are averaged in portions of about that size, which stay in a processor's cache until their mean is taken."""

_LARGE_PIXELS = 2_000_000
_REDUCING_GAP = 3.0
"""Of a seen part larger than that, rows are first averaged, down to 3 times the wanted number. For 12 megapixels that
takes a third of the time and changes the result by 0.2 steps of 255 on average, at most 2 on photo-like pictures."""


def prepare(
    rgb_hwc: np.ndarray, input_size: tuple[int, int], crop: Crop, crop_fraction: float, interpolation: str
) -> np.ndarray:
    """What the model gets: uint8, height × width × 3 of `input_size` (width, height), C-contiguous.

    `rgb_hwc` is uint8 H×W×3 and C-contiguous; `interpolation` is "bilinear" or "bicubic", both antialiased: when a
    photo is made smaller, every pixel of the seen part counts.
    """
    height, width, _channels = rgb_hwc.shape
    seen = view((width, height), input_size, crop, crop_fraction)
    left, top, right, bottom = seen.placed
    size = (right - left, bottom - top)
    piece_hwc, box = _cut(rgb_hwc, seen.box, size, _REACH[interpolation])
    small = Image.fromarray(piece_hwc).resize(size, _FILTERS[interpolation], box)
    if size == input_size:
        return np.array(small)
    result_hwc = np.full((input_size[1], input_size[0], 3), BAR_GREY, np.uint8)
    result_hwc[top:bottom, left:right] = np.asarray(small)
    return result_hwc


def _cut(rgb_hwc: np.ndarray, box: Box, size: tuple[int, int], reach: float) -> tuple[np.ndarray, Box]:
    """The pixels that resampling `box` to `size` looks at, C-contiguous, and the box within them.

    Filters look beyond the box at its neighbours; cutting wider than they reach leaves the result as it was.
    """
    height, width, _channels = rgb_hwc.shape
    scale_x, scale_y = (box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]
    margin_x, margin_y = ceil(reach * max(scale_x, 1.0)) + 1, ceil(reach * max(scale_y, 1.0)) + 1
    left, top = max(floor(box[0]) - margin_x, 0), max(floor(box[1]) - margin_y, 0)
    right, bottom = min(ceil(box[2]) + margin_x, width), min(ceil(box[3]) + margin_y, height)
    large = (right - left) * (bottom - top) > _LARGE_PIXELS
    rows = max(int(scale_y / _REDUCING_GAP), 1) if large else 1
    if rows > 1:
        piece_hwc = _average_rows(rgb_hwc[top:bottom], left, right, rows)
    else:
        piece_hwc = np.ascontiguousarray(rgb_hwc[top:bottom, left:right])
    return piece_hwc, (box[0] - left, (box[1] - top) / rows, box[2] - left, (box[3] - top) / rows)


def _average_rows(rgb_hwc: np.ndarray, left: int, right: int, rows: int) -> np.ndarray:
    """Columns `left` to `right`, with the mean of every `rows` rows as one; what remains at the bottom makes the last.

    Pillow's `reducing_gap` would do it too, but after it has copied all pixels into a form with four bytes each, which
    alone takes longer than this.
    """
    height, width, _channels = rgb_hwc.shape
    lines = rgb_hwc.reshape(height, width * 3)[:, left * 3 : right * 3]
    means = np.empty((ceil(height / rows), lines.shape[1]), np.uint8)
    whole = height // rows
    at_once = max(_CACHE_BYTES // (rows * lines.shape[1]), 1)
    for first in range(0, whole, at_once):
        last = min(first + at_once, whole)
        means[first:last] = _rounded_mean(lines[first * rows : last * rows].reshape(last - first, rows, -1))
    if whole < len(means):
        means[whole:] = _rounded_mean(lines[None, whole * rows :])
    return means.reshape(len(means), right - left, 3)


def _rounded_mean(blocks: np.ndarray) -> np.ndarray:
    """The mean over the second of three dimensions, of uint8 in integers, halves rounded up."""
    count = blocks.shape[1]
    total = np.add.reduce(blocks, axis=1, dtype=np.uint16 if count <= 256 else np.uint32)
    total += count // 2
    total //= count
    return total
