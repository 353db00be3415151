"""MIL family `image_resizing`, the part that looks up single points: crop_resize, affine and resample.

x is B, C, H, W (with `channels_last` B, H, W, C). A point's four neighbours are rows of C numbers, taken out of x
spread flat: one way for every layout, mode and device.
"""

from __future__ import annotations

from functools import partial

import mlx.core as mx

from app.compiler.ops.registry import NotCovered, lowers
from app.compiler.ops.types import Wide


@lowers("resample")
def resample(
    x: mx.array,
    *,
    coordinates: Wide,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
    channels_last: bool = False,
) -> mx.array:
    """x at `coordinates` (B or 1, H2, W2, 2: first the one along the width). B, C, H2, W2.

    As PyTorch's grid_sample, from which coremltools makes it: halves round to even; "reflection" turns at the centres
    of the first and last pixel, "symmetric" at their outer edges.
    """
    rows = x if channels_last else mx.moveaxis(x, 1, -1)
    c = coordinates.astype(mx.float32)
    to_pixels = partial(_to_pixels, mode=coordinates_mode, align_corners=align_corners)
    xs, ys = to_pixels(c[..., 0], rows.shape[2]), to_pixels(c[..., 1], rows.shape[1])
    y = _sampled(rows, ys, xs, sampling_mode, padding_mode, padding_value, "resample")
    return y if channels_last else mx.moveaxis(y, -1, 1)


@lowers("affine")
def affine(
    x: mx.array,
    *,
    transform_matrix: Wide,
    output_height: int,
    output_width: int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
    channels_last: bool = False,
) -> mx.array:
    """x at (a0 X + a1 Y + a2, b0 X + b1 Y + b2) for every result at (X, Y), all from -1 to 1 over the image.

    transform_matrix: B or 1, six numbers a0 … b2. As PyTorch's affine_grid followed by grid_sample.
    """
    if coordinates_mode.lower() != "normalized_minus_one_to_one":
        raise NotCovered(f"affine (coordinates_mode={coordinates_mode})")
    rows = x if channels_last else mx.moveaxis(x, 1, -1)
    theta = transform_matrix.astype(mx.float32)[:, :, None, None]
    across, down = _even(output_width, align_corners), _even(output_height, align_corners).reshape(-1, 1)
    to_pixels = partial(_to_pixels, mode=coordinates_mode.lower(), align_corners=align_corners)
    xs = to_pixels(theta[:, 0] * across + theta[:, 1] * down + theta[:, 2], rows.shape[2])
    ys = to_pixels(theta[:, 3] * across + theta[:, 4] * down + theta[:, 5], rows.shape[1])
    y = _sampled(rows, ys, xs, sampling_mode.lower(), padding_mode.lower(), padding_value, "affine")
    return y if channels_last else mx.moveaxis(y, -1, 1)


@lowers("crop_resize")
def crop_resize(
    x: mx.array,
    *,
    roi: Wide | None = None,
    boxes: Wide | None = None,
    box_indices: Wide | None = None,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
    channels_last: bool = False,
) -> mx.array:
    """The parts of x inside the boxes, each linearly interpolated to the target size; outside of x is `pad_value`.

    iOS 15 and 16: roi is N, 1, 4, 1, 1 (each box on each of the B images) or N, 1, 5, 1, 1 (the image's number first);
    result N, B or 1, C, target_height, target_width. iOS 17: boxes N, 4 and box_indices N; result N, C, target_height,
    target_width.
    """
    rows = x if channels_last else mx.moveaxis(x, 1, -1)
    batch, height, width, _ = rows.shape
    numbers = boxes if boxes is not None else roi.reshape(roi.shape[0], -1)  # type: ignore[union-attr]
    numbers = numbers.astype(mx.float32)
    if boxes is not None:
        image = mx.arange(len(boxes)) if box_indices is None else box_indices
    elif numbers.shape[1] == 5:
        if batch > 1:
            # MIL's type inference declares N × B crops, its documentation says N.
            raise NotCovered("crop_resize (roi with the number of one of several images)")
        image, numbers = numbers[:, 0], numbers[:, 1:]
    else:
        image = mx.tile(mx.arange(batch), len(numbers))
        numbers = mx.repeat(numbers, batch, axis=0)
    (top, bottom), (left, right) = _corners(numbers * spatial_scale, box_coordinate_mode)
    if normalized_coordinates:
        top, bottom, left, right = top * (height - 1), bottom * (height - 1), left * (width - 1), right * (width - 1)
    ys = _between(top, bottom, target_height, sampling_mode)
    xs = _between(left, right, target_width, sampling_mode)
    y = _cropped(rows, image.astype(mx.int32), ys, xs, pad_value)
    y = y if channels_last else mx.moveaxis(y, -1, 1)
    return y if boxes is not None else y.reshape(roi.shape[0], -1, *y.shape[1:])  # type: ignore[union-attr]


def _corners(boxes: mx.array, mode: str) -> tuple[tuple[mx.array, mx.array], tuple[mx.array, mx.array]]:
    """First and last row, first and last column of each box, N × 1 each."""
    a, b, c, d = (boxes[:, i : i + 1] for i in range(4))
    if mode.endswith("WIDTH_FIRST"):
        a, b, c, d = b, a, d, c
    if mode.startswith("CENTER_SIZE"):
        return (a - c / 2, a + c / 2), (b - d / 2, b + d / 2)
    return (a, c), (b, d)


def _between(start: mx.array, end: mx.array, target: int, mode: str) -> mx.array:
    """`target` places from `start` to `end` (N × 1): N × target. The modes of `grid.positions` for end - start + 1
    elements, from `start` on; a box that runs backwards is read backwards.

    UNALIGN_CORNERS is refused: coremltools' only test of it gives the result of another box than the one it names.
    """
    i = mx.arange(target, dtype=mx.float32)
    length = end - start
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if target == 1:
            return start if mode.startswith("STRICT") else (start + end) / 2
        # so that the last place is `end` to the last bit, for beyond the image is another value
        share = i / (target - 1)
        return mx.where(share == 1, end, start + share * length)
    if mode == "DEFAULT":
        return start + mx.minimum(length, i * (length + 1) / target)
    if mode == "OFFSET_CORNERS":
        return start + mx.minimum(length, (i + 0.5) * mx.maximum(length, 1) / target)
    raise NotCovered(f"crop_resize (sampling_mode={mode})")


def _cropped(rows: mx.array, image: mx.array, ys: mx.array, xs: mx.array, pad_value: float) -> mx.array:
    """rows (B, H, W, C) of image[n] at every ys[n, i], xs[n, j]: N, i, j, C."""
    height, width = rows.shape[1:3]
    inside = _inside(ys, height)[:, :, None] & _inside(xs, width)[:, None, :]
    ys, xs = mx.clip(ys, 0, height - 1), mx.clip(xs, 0, width - 1)
    down, across = mx.broadcast_to(ys[:, :, None], inside.shape), mx.broadcast_to(xs[:, None, :], inside.shape)
    y = _bilinear(rows, image.reshape(-1, 1, 1), down, across, None)
    return mx.where(inside[..., None], y, mx.array(pad_value, y.dtype))


def _even(size: int, align_corners: bool) -> mx.array:
    """Coordinates of `size` pixels from -1 to 1: of their centres (the first is -1), or of centres between edges."""
    i = mx.arange(size, dtype=mx.float32)
    if align_corners:
        return i * (2 / (size - 1)) - 1 if size > 1 else mx.zeros(1)
    return (2 * i + 1) / size - 1


def _to_pixels(c: mx.array, size: int, mode: str, align_corners: bool) -> mx.array:
    """Coordinates as numbers of pixels along an axis of `size`."""
    if mode == "unnormalized":
        return c
    if mode == "normalized_minus_one_to_one":
        return (c + 1) * ((size - 1) / 2) if align_corners else ((c + 1) * size - 1) / 2
    if mode == "normalized_zero_to_one":
        return c * (size - 1) if align_corners else c * size - 0.5
    raise NotCovered(f"resample (coordinates_mode={mode})")


def _sampled(
    rows: mx.array, ys: mx.array, xs: mx.array, sampling: str, padding: str, padding_value: float, what: str
) -> mx.array:
    """rows (B, H, W, C) at ys, xs (B or 1, H2, W2): B, H2, W2, C."""
    batch, height, width, _ = rows.shape
    outside = padding_value if padding == "constant" else None
    if padding == "border":
        ys, xs = mx.clip(ys, 0, height - 1), mx.clip(xs, 0, width - 1)
    elif padding in ("reflection", "symmetric"):
        edge = 0.0 if padding == "reflection" else 0.5
        ys, xs = _reflected(ys, height, edge), _reflected(xs, width, edge)
    elif padding != "constant":
        raise NotCovered(f"{what} (padding_mode={padding})")
    image = mx.arange(batch).reshape(-1, 1, 1)
    if sampling == "bilinear":
        return _bilinear(rows, image, ys, xs, outside)
    if sampling == "nearest":
        return _fetch(rows, image, mx.round(ys), mx.round(xs), outside)
    raise NotCovered(f"{what} (sampling_mode={sampling})")


def _reflected(c: mx.array, size: int, edge: float) -> mx.array:
    """c thrown back at -edge and at size - 1 + edge until it lies between, then into 0 … size - 1."""
    span = size - 1 + 2 * edge
    if span == 0:
        return mx.zeros_like(c)
    away = mx.abs(c + edge)
    rest = mx.remainder(away, span)
    turned = mx.where(mx.remainder(mx.floor(away / span), 2) == 1, span - rest, rest)
    return mx.clip(turned - edge, 0, size - 1)


def _bilinear(rows: mx.array, image: mx.array, ys: mx.array, xs: mx.array, outside: float | None) -> mx.array:
    """The four neighbours of each point, mixed in float32; a neighbour that is no pixel counts as `outside`."""
    top, left = mx.floor(ys), mx.floor(xs)
    down, across = (ys - top)[..., None], (xs - left)[..., None]
    # A neighbour beyond the edge has no weight unless the point itself lies beyond; without an outside none does.
    upper = _mixed(_fetch(rows, image, top, left, outside), _fetch(rows, image, top, left + 1, outside), across)
    lower = _mixed(_fetch(rows, image, top + 1, left, outside), _fetch(rows, image, top + 1, left + 1, outside), across)
    return _mixed(upper, lower, down).astype(rows.dtype)


def _mixed(a: mx.array, b: mx.array, share: mx.array) -> mx.array:
    return a.astype(mx.float32) * (1 - share) + b.astype(mx.float32) * share


def _fetch(rows: mx.array, image: mx.array, ys: mx.array, xs: mx.array, outside: float | None) -> mx.array:
    """rows[image, ys, xs] for whole numbers as floats; beyond the edge `outside`, or the nearest pixel without one."""
    batch, height, width, channels = rows.shape
    # clipped as floats: a coordinate may be far beyond what an integer holds
    y, x = (mx.clip(c, 0, size - 1).astype(mx.int32) for c, size in ((ys, height), (xs, width)))
    number = (image * height + y) * width + x
    found = mx.take(rows.reshape(batch * height * width, channels), number, axis=0)
    if outside is None:
        return found
    return mx.where((_inside(ys, height) & _inside(xs, width))[..., None], found, mx.array(outside, rows.dtype))


def _inside(c: mx.array, size: int) -> mx.array:
    return (c >= 0) & (c <= size - 1)
