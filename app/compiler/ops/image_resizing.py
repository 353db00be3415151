"""MIL family `image_resizing`, the part that works on whole axes; crop_resize, affine and resample are in sampling.py.

The last two axes (of at least three) are height and width; with `channels_last` the tensor stands turned, its second
axis at the end. Linear interpolation is a small matrix product an axis: on the CPU ten times as fast as taking rows
apart (64 × 56 × 56 to twice the size: 1.2 ms against 14 ms, 2-core Linux x86-64), and layouts differ in nothing.
"""

from __future__ import annotations

import math

import mlx.core as mx
import numpy as np

from app.compiler.ops.axes import place
from app.compiler.ops.grid import interpolation_matrix, nearest_by_centre, nearest_by_edge, positions
from app.compiler.ops.registry import NotCovered, lowers

_WIDEST_MATRIX = 1024
"""Elements of an axis up to which it is resized by a matrix; beyond, most of the matrix would be zeros for nothing."""

_STEPS = {mx.float32: 2**24, mx.float16: 2**11, mx.bfloat16: 2**8}
"""Into how many equal steps from 0 to 1 each type can be rounded without a rest: two to the bits of its significand."""


@lowers("resize_bilinear")
def resize_bilinear(
    x: mx.array,
    *,
    target_size_height: int = 1,
    target_size_width: int = 1,
    sampling_mode: str = "DEFAULT",
    channels_last: bool = False,
) -> mx.array:
    """x with height and width of the given sizes, linearly interpolated; see `grid.positions` for the modes."""
    return _linear(x, (target_size_height, target_size_width), sampling_mode, channels_last, "resize_bilinear")


@lowers("upsample_bilinear")
def upsample_bilinear(
    x: mx.array,
    *,
    scale_factor_height: float = 1.0,
    scale_factor_width: float = 1.0,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
    channels_last: bool = False,
) -> mx.array:
    """x with floor(size · factor) rows and columns, linearly interpolated by the ratio of the sizes, not the factor.

    `half_pixel_centers` is what `align_corners` is not when left out (iOS 16).
    """
    halves = not align_corners if half_pixel_centers is None else half_pixel_centers
    if align_corners and halves:
        raise NotCovered("upsample_bilinear (align_corners with half_pixel_centers)")
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS" if halves else "DEFAULT"
    targets = _scaled(x, (scale_factor_height, scale_factor_width), channels_last)
    return _linear(x, targets, mode, channels_last, "upsample_bilinear")


@lowers("resize_nearest_neighbor")
def resize_nearest_neighbor(
    x: mx.array, *, target_size_height: int, target_size_width: int, channels_last: bool = False
) -> mx.array:
    """x with height and width of the given sizes, each result the element under its centre.

    Source: coremltools makes it of TensorFlow's ResizeNearestNeighbor with half_pixel_centers, and tests it against it.
    """
    for axis, target in _axes(x, (target_size_height, target_size_width), channels_last):
        x = _pick(x, axis, nearest_by_centre(x.shape[axis], target))
    return x


@lowers("upsample_nearest_neighbor")
def upsample_nearest_neighbor(
    x: mx.array, *, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0, channels_last: bool = False
) -> mx.array:
    """x with floor(size · factor) rows and columns, each the element under its left or upper edge.

    Source: coremltools makes it of PyTorch's interpolate(mode="nearest"). Its own test of 3 elements times 1.12 (which
    stay as they are) tells that the ratio of the sizes is meant, not the factor.
    """
    targets = _scaled(x, (scale_factor_height, scale_factor_width), channels_last)
    for axis, target in _axes(x, targets, channels_last):
        x = _pick(x, axis, nearest_by_edge(x.shape[axis], target))
    return x


@lowers("resize")
def resize(
    x: mx.array,
    *,
    shape: tuple[int, ...],
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
    channels_last: bool = False,
) -> mx.array:
    """x with its last `resized_dims` axes as the end of `shape` says; a 0 there leaves an axis as it is (iOS 17).

    NEAREST_NEIGHBOR takes the element under the centre: the only rule under which coremltools' own tests hold (2
    elements to 3 are a, b, b; twice and three times as many rows as in TensorFlow with half_pixel_centers).
    """
    targets = shape[len(shape) - resized_dims :]
    if interpolation_mode == "LINEAR":
        if not mx.issubdtype(x.dtype, mx.floating):
            raise NotCovered("resize (LINEAR of whole numbers)")
        return _linear(x, targets, sampling_mode, channels_last, "resize")
    if interpolation_mode != "NEAREST_NEIGHBOR" or sampling_mode != "DEFAULT":
        raise NotCovered(f"resize (interpolation_mode={interpolation_mode}, sampling_mode={sampling_mode})")
    for axis, target in _axes(x, targets, channels_last):
        x = _pick(x, axis, nearest_by_centre(x.shape[axis], target or x.shape[axis]))
    return x


@lowers("crop")
def crop(
    x: mx.array, *, crop_height: tuple[int, ...], crop_width: tuple[int, ...], channels_last: bool = False
) -> mx.array:
    """x without these many first and last rows and columns."""
    index = [slice(None)] * x.ndim
    for (axis, _), (before, after) in zip(_axes(x, (0, 0), channels_last), (crop_height, crop_width), strict=True):
        index[axis] = slice(before, x.shape[axis] - after)
    return x[tuple(index)]


def _axes(x: mx.array, targets: tuple[int, ...], channels_last: bool) -> list[tuple[int, int]]:
    """The last axes in MIL's order, one a target: where each stands, and its target."""
    first = x.ndim - len(targets)
    return [(place(first + i, x.ndim, channels_last), target) for i, target in enumerate(targets)]


def _scaled(x: mx.array, factors: tuple[float, float], channels_last: bool) -> tuple[int, ...]:
    """floor(size · factor) for height and width, multiplied in float32 as MIL's type inference does."""
    sizes = [x.shape[axis] for axis, _ in _axes(x, (0, 0), channels_last)]
    return tuple(math.floor(np.float32(f) * np.float32(n)) for f, n in zip(factors, sizes, strict=True))


def _linear(x: mx.array, targets: tuple[int, ...], mode: str, channels_last: bool, what: str) -> mx.array:
    for axis, target in _axes(x, targets, channels_last):
        size = x.shape[axis]
        grid = positions(size, target or size, mode, what)
        if np.array_equal(grid, np.arange(size)):
            continue
        if size > _WIDEST_MATRIX:
            x = _blend(x, axis, grid)
        else:
            matrix = interpolation_matrix(size, target, mode, what, _STEPS[x.dtype])
            x = _product(x, axis, mx.array(matrix).astype(x.dtype))
    return x


def _product(x: mx.array, axis: int, matrix: mx.array) -> mx.array:
    """The matrix (target × size) times x along an axis."""
    if axis == x.ndim - 1:
        return x @ matrix.T
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    y = matrix @ x.reshape(math.prod(before), x.shape[axis], math.prod(after))
    return y.reshape(*before, matrix.shape[0], *after)


def _blend(x: mx.array, axis: int, grid: np.ndarray) -> mx.array:
    """x interpolated at these positions of an axis: its neighbours taken, and mixed."""
    low = np.floor(grid).astype(np.int32)
    shape = [1] * x.ndim
    shape[axis] = len(grid)
    share = mx.array((grid - low).astype(np.float32)).astype(x.dtype).reshape(shape)
    one = mx.take(x, mx.array(low), axis=axis)
    other = mx.take(x, mx.array(np.minimum(low + 1, x.shape[axis] - 1)), axis=axis)
    return one + share * (other - one)


def _pick(x: mx.array, axis: int, index: np.ndarray) -> mx.array:
    """The elements of an axis with these numbers, which rise. Repeats and steps are views; only the rest is copied."""
    size = x.shape[axis]
    times, rest = divmod(len(index), size)
    if not rest and np.array_equal(index, np.repeat(np.arange(size), times)):
        before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
        return mx.broadcast_to(mx.expand_dims(x, axis + 1), (*before, times, *after)).reshape(
            *before[:-1], size * times, *after
        )
    steps = set(np.diff(index).tolist())
    if len(steps) == 1 and (step := steps.pop()) > 0:
        every = [slice(None)] * x.ndim
        every[axis] = slice(int(index[0]), int(index[-1]) + 1, step)
        return x[tuple(every)]
    return mx.take(x, mx.array(index.astype(np.int32)), axis=axis)
