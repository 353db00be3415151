"""The integers by which a kernel knows its sizes. A float among them travels as its bits."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from app.compiler.cuda.arithmetic import ACTIVATIONS

BIAS, FACTOR, RESIDUAL, RESIDUAL_FIRST, POINT = 1, 2, 4, 8, 16
"""Flags of a product: what follows its sum, and whether its windows are single pixels."""


@dataclass(frozen=True)
class Window:
    """How a convolution moves over NHWC: the sizes of input and output, its steps, and its border before the first."""

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    before: tuple[int, int]
    dilations: tuple[int, int]

    @property
    def is_point(self) -> bool:
        """Whether every window is one pixel and every pixel a window, so that rows of x are rows of the product."""
        same = (self.height, self.width) == (self.out_height, self.out_width)
        return self.kernel == (1, 1) and self.strides == (1, 1) and same


def window(
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pad: tuple[int, ...],
    dilations: tuple[int, ...] = (1, 1),
) -> Window:
    """The window over x of that shape, N, H, W, C; pad: before and after, rows first."""
    _, height, width, channels = shape
    out_height = (height + pad[0] + pad[1] - (kernel[0] - 1) * dilations[0] - 1) // strides[0] + 1
    out_width = (width + pad[2] + pad[3] - (kernel[1] - 1) * dilations[1] - 1) // strides[1] + 1
    steps = (strides[0], strides[1]), (pad[0], pad[2]), (dilations[0], dilations[1])
    return Window(height, width, channels, out_height, out_width, (kernel[0], kernel[1]), *steps)


def joined(w: Window) -> Window:
    """The same window, its columns told as channels where windows stand side by side without a gap: they lie in memory
    as if they were, and a kernel then reads whole vectors even of images with three channels. Not for depthwise ones.
    """
    columns = w.kernel[1]
    if w.strides[1] != columns or w.before[1] or w.dilations[1] != 1 or w.out_width * columns != w.width:
        return w
    kernel, strides = (w.kernel[0], 1), (w.strides[0], 1)
    return replace(w, width=w.out_width, channels=w.channels * columns, kernel=kernel, strides=strides)


def product_numbers(
    rows: int, columns: int, depth: int, w: Window | None, flags: int, activation: tuple[str, float, float]
) -> list[int]:
    """For `product` and `few_rows`. Without a window x is rows × depth."""
    if w is None:
        sizes, steps = [1, 1, depth, 1, 1, 1], [1, 1, 0, 0, 1, 1]
    else:
        sizes = [w.height, w.width, w.channels, w.out_height, w.out_width, w.kernel[1]]
        steps = [*w.strides, *w.before, *w.dilations]
    point = POINT if w is None or w.is_point else 0
    return [rows, columns, depth, *sizes, *steps, flags | point, *_activation(activation)]


def depthwise_numbers(images: int, w: Window, has_bias: bool, activation: tuple[str, float, float]) -> list[int]:
    """For `depthwise`."""
    sizes = [images, w.height, w.width, w.channels, w.out_height, w.out_width]
    return [*sizes, w.strides[0], *w.before, *w.dilations, int(has_bias), *_activation(activation), w.strides[1]]


def bits(number: float) -> int:
    """The float32 nearest to `number`, read as an integer."""
    (same,) = struct.unpack("<i", struct.pack("<f", number))
    return int(same)


def _activation(named: tuple[str, float, float]) -> list[int]:
    name, alpha, beta = named
    return [ACTIVATIONS.index(name), bits(alpha), bits(beta)]
