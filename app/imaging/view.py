"""Which part of a photo a model sees: geometry alone, so that a window can draw it before any pixel is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Box = tuple[float, float, float, float]

BAR_GREY = 127
"""Grey of the bars beside a photo that does not fill the input: the middle of the range, which a normalisation like
(x - 127) / 128 maps to zero, the value of a convolution's own padding; and close to the mean of ImageNet's photos."""


class Crop(StrEnum):
    """How a photo of another shape than the model's input is fitted into it."""

    CENTRE = "centre"
    FIT = "fit"
    STRETCH = "stretch"


@dataclass(frozen=True)
class View:
    """What the model sees of a photo."""

    box: Box
    """Left, top, right, bottom in pixels of the photo."""
    placed: tuple[int, int, int, int]
    """Where that lands in the model's input; with FIT the rest is bars."""


def view(photo_size: tuple[int, int], input_size: tuple[int, int], crop: Crop, crop_fraction: float) -> View:
    """What a model with that input sees. Sizes are (width, height).

    CENTRE takes, from the middle, `crop_fraction` (above 0, at most 1) of the largest rectangle that has the input's
    shape; FIT all of the photo, with equal bars on two sides; STRETCH all of it, distorted. The last two ignore
    `crop_fraction`.
    """
    width, height = photo_size
    input_width, input_height = input_size
    if min(photo_size) < 1 or min(input_size) < 1 or not 0 < crop_fraction <= 1:
        raise ValueError(f"no view of {photo_size} for {input_size} with crop fraction {crop_fraction}")
    whole, everywhere = (0.0, 0.0, float(width), float(height)), (0, 0, input_width, input_height)
    match crop:
        case Crop.STRETCH:
            return View(whole, everywhere)
        case Crop.FIT:
            scale = min(input_width / width, input_height / height)
            left, top = _bar(input_width, width * scale), _bar(input_height, height * scale)
            return View(whole, (left, top, input_width - left, input_height - top))
        case Crop.CENTRE:
            scale = crop_fraction * min(width / input_width, height / input_height)
            x, y = (width - input_width * scale) / 2, (height - input_height * scale) / 2
            # The largest rectangle touches two edges; rounding must not carry it past them.
            return View((max(x, 0.0), max(y, 0.0), min(width - x, width), min(height - y, height)), everywhere)


def _bar(room: int, wanted: float) -> int:
    """Pixels of each of two equal bars that leave about `wanted` of `room`, and at least one pixel."""
    return min(round((room - wanted) / 2), (room - 1) // 2)
