"""MIL family `pool`.

A window is taken one axis after the other: k slices a step apart, joined two by two. That is k joins an axis instead of
one reduction over k × k windows, and slices are the cheapest thing that both back ends have. An axis with one window
alone (global pooling) is reduced as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers
from app.compiler.padding import Pads, resolve


@lowers("max_pool", axes=Axes.SPATIAL)
def max_pool(
    x: mx.array,
    *,
    kernel_sizes: tuple[int, ...],
    strides: tuple[int, ...] = (),
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    ceil_mode: bool = False,
    channels_last: bool = False,
) -> mx.array:
    """Largest value of each window; padding never wins."""
    first = 1 if channels_last else 2
    windows = _windows(x.shape[first : first + len(kernel_sizes)], kernel_sizes, strides, pad_type, pad, ceil_mode)
    for axis, window in enumerate(windows, start=first):
        x = _slide(x, axis, window, mx.maximum, mx.max, -float("inf"))
    return x


@lowers("avg_pool", axes=Axes.SPATIAL)
def avg_pool(
    x: mx.array,
    *,
    kernel_sizes: tuple[int, ...],
    strides: tuple[int, ...] = (),
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
    channels_last: bool = False,
) -> mx.array:
    """Mean of each window, padding counted as zeros or not at all; summed in float32 whatever the dtype."""
    first = 1 if channels_last else 2
    windows = _windows(x.shape[first : first + len(kernel_sizes)], kernel_sizes, strides, pad_type, pad, ceil_mode)
    y = x.astype(mx.float32)
    for axis, window in enumerate(windows, start=first):
        counts = [window.count(i, exclude_padding_from_average) for i in range(window.outputs)]
        y = _slide(y, axis, window, mx.add, mx.sum, 0.0)
        if len(set(counts)) == 1:
            y = y * (1 / counts[0])
        else:
            shape = [1] * x.ndim
            shape[axis] = len(counts)
            y = y * mx.array([1 / n for n in counts]).reshape(shape)
    return y.astype(x.dtype)


@lowers("l2_pool", axes=Axes.SPATIAL)
def l2_pool(
    x: mx.array,
    *,
    kernel_sizes: tuple[int, ...],
    strides: tuple[int, ...] = (),
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    ceil_mode: bool = False,
    channels_last: bool = False,
) -> mx.array:
    """Square root of the sum of squares of each window, in float32 whatever the dtype."""
    first = 1 if channels_last else 2
    windows = _windows(x.shape[first : first + len(kernel_sizes)], kernel_sizes, strides, pad_type, pad, ceil_mode)
    y = mx.square(x.astype(mx.float32))
    for axis, window in enumerate(windows, start=first):
        y = _slide(y, axis, window, mx.add, mx.sum, 0.0)
    return mx.sqrt(y).astype(x.dtype)


class _Window:
    """How a window of `kernel` slides along one axis of `size`."""

    def __init__(self, size: int, kernel: int, stride: int, pads: tuple[int, int], ceil_mode: bool) -> None:
        self.size, self.kernel, self.stride, (self.before, self.after) = size, kernel, stride, pads
        reach = size + self.before + self.after - kernel
        self.outputs = (reach + (stride - 1 if ceil_mode else 0)) // stride + 1
        # The last window of ceil mode has to start inside the image or its left padding. MIL drops it otherwise, but
        # only where there is padding, and without any leaves open what a window of nothing holds.
        if ceil_mode and (self.outputs - 1) * stride >= size + self.before:
            if not (self.before or self.after):
                raise NotCovered("pool (ceil_mode with a window outside of the image)")
            self.outputs -= 1
        self.length = (self.outputs - 1) * stride + kernel
        """How far the windows reach, from the start of the padding."""

    def count(self, i: int, exclude_padding: bool) -> int:
        """What window `i` divides its sum by. What ceil mode adds beyond the declared padding never counts."""
        start = i * self.stride
        if exclude_padding:
            return max(1, min(start + self.kernel, self.before + self.size) - max(start, self.before))
        return min(start + self.kernel, self.before + self.size + self.after) - start


def _windows(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    pad_type: str,
    pad: tuple[int, ...] | None,
    ceil_mode: bool,
) -> list[_Window]:
    ones = (1,) * len(kernel)
    strides = strides or ones
    pad_type = pad_type.lower()
    pads: Pads = resolve(pad_type, pad, size, kernel, strides, ones)
    if ceil_mode and pad_type.startswith("same"):
        raise NotCovered("pool (ceil_mode with same padding)")
    return [_Window(*one, ceil_mode) for one in zip(size, kernel, strides, pads, strict=True)]


def _slide(
    x: mx.array,
    axis: int,
    window: _Window,
    join: Callable[[mx.array, mx.array], mx.array],
    reduce: Callable[..., mx.array],
    nothing: float,
) -> mx.array:
    """One axis of a pooling. `nothing` fills the padding: joined with it, a value stays what it is."""
    every = [slice(None)] * x.ndim
    if window.outputs == 1 and window.before < window.kernel:
        every[axis] = slice(0, window.kernel - window.before)
        return reduce(x[tuple(every)], axis=axis, keepdims=True)
    after = max(0, window.length - window.before - window.size)
    if window.before or after:
        pads = [(0, 0)] * x.ndim
        pads[axis] = (window.before, after)
        x = mx.pad(x, pads, constant_values=mx.array(nothing, dtype=x.dtype))
    result: mx.array | None = None
    for i in range(window.kernel):
        every[axis] = slice(i, i + (window.outputs - 1) * window.stride + 1, window.stride)
        part = x[tuple(every)]
        result = part if result is None else join(result, part)
    assert result is not None, "a kernel has at least one element"
    return result
