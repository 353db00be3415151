"""crop_resize, affine and resample against the definition, point by point.

The lowerings were also compared with torch.nn.functional.grid_sample and affine_grid (every mode that PyTorch has, odd
sizes, coordinates far outside; largest difference 1e-5). The short lists are what coremltools' own tests expect.
"""

import math

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.registry import NotCovered
from app.compiler.ops.sampling import affine, crop_resize, resample

pytestmark = pytest.mark.mlx

SIZES = st.integers(1, 6)
PADDINGS = ["constant", "border", "reflection", "symmetric"]
COORDINATES = ["unnormalized", "normalized_minus_one_to_one", "normalized_zero_to_one"]
SQUARE = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)


def values(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(dtype)


def turned_back(c, size, padding):
    if padding == "border":
        return min(max(c, 0), size - 1)
    low, high = (0, size - 1) if padding == "reflection" else (-0.5, size - 0.5)
    if low == high:
        return 0
    while not low <= c <= high:
        c = 2 * low - c if c < low else 2 * high - c
    return min(max(c, 0), size - 1)


def pixels(c, size, mode, align):
    if mode == "unnormalized":
        return c
    c = (c + 1) / 2 if mode == "normalized_minus_one_to_one" else c
    return c * (size - 1) if align else c * size - 0.5


def looked_up(image, y, x, sampling, padding, outside):
    """One point of an image C, H, W."""
    height, width = image.shape[1:]
    if padding != "constant":
        y, x = turned_back(y, height, padding), turned_back(x, width, padding)

    def pixel(i, j):
        return image[:, i, j] if 0 <= i < height and 0 <= j < width else np.full(len(image), outside, float)

    if sampling == "nearest":
        return pixel(round(y), round(x))
    top, left = math.floor(y), math.floor(x)
    return sum(pixel(i, j) * (1 - abs(y - i)) * (1 - abs(x - j)) for i in (top, top + 1) for j in (left, left + 1))


def resampled(x, coordinates, sampling, padding, outside, mode, align):
    b, _, height, width = x.shape
    y = np.zeros((b, x.shape[1], *coordinates.shape[1:3]))
    for n, i, j in np.ndindex(b, *coordinates.shape[1:3]):
        across, down = coordinates[n, i, j]
        point = pixels(down, height, mode, align), pixels(across, width, mode, align)
        y[n, :, i, j] = looked_up(x[n], *point, sampling, padding, outside)
    return y


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("sampling", ["bilinear", "nearest"])
@given(
    shape=st.tuples(st.integers(1, 2), st.integers(1, 3), SIZES, SIZES),
    target=st.tuples(SIZES, SIZES),
    mode=st.sampled_from(COORDINATES),
    align=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float16]),
)
def test_resample(check, sampling, padding, shape, target, mode, align, dtype):
    # in steps that no type rounds, a little beside the halves where nearest turns
    grid = np.random.default_rng(1).integers(-40, 40, (shape[0], *target, 2)) / 16 + 1 / 64
    grid = (grid * (4 if mode == "unnormalized" else 1)).astype(np.float32)
    options = {"sampling_mode": sampling, "padding_mode": padding, "coordinates_mode": mode, "align_corners": align}
    check(
        lambda x, c: mb.resample(x=x, coordinates=c, padding_value=dtype(0.5), **options),
        lambda x, c: resampled(x, c, sampling, padding, 0.5, mode, align),
        values(shape, dtype),
        grid,
        scale=4,
    )


@pytest.mark.parametrize(
    ("sampling", "padding", "mode", "align", "wanted"),
    [
        ("bilinear", "constant", "normalized_minus_one_to_one", True, [8.585, 6.17, 27.5, 6.17]),
        ("nearest", "border", "unnormalized", False, [11, 11, 11, 44]),
        ("bilinear", "reflection", "normalized_zero_to_one", True, [22, 36.3, 11, 34.1]),
        ("nearest", "symmetric", "normalized_zero_to_one", False, [22, 33, 11, 33]),
    ],
)
def test_resample_as_in_core_ml(sampling, padding, mode, align, wanted):
    c = mx.array([-1.0, -2.0, -3.7, -1.0, 0.0, 0.0, 3.5, 1.2]).reshape(1, 2, 2, 2)
    x = mx.array([11.0, 22.0, 33.0, 44.0]).reshape(1, 1, 2, 2)
    y = resample(
        x,
        coordinates=c,
        sampling_mode=sampling,
        padding_mode=padding,
        padding_value=6.17,
        coordinates_mode=mode,
        align_corners=align,
    )
    np.testing.assert_allclose(np.array(y).ravel(), wanted, rtol=1e-5)


def test_constant_coordinates_keep_their_digits_in_half_precision(run_mil):
    x = np.arange(2048, dtype=np.float16).reshape(1, 1, 1, 2048)
    c = np.array([[[[1001.25, 0]]]], np.float32)
    y = run_mil(
        lambda x: mb.resample(
            x=x,
            coordinates=c,
            sampling_mode="nearest",
            padding_mode="border",
            padding_value=np.float16(0),
            coordinates_mode="unnormalized",
            align_corners=True,
        ),
        x,
    )
    assert y.item() == 1001


def test_whole_coordinates(run_mil):
    c = np.array([[[[1, 0], [2, 1]]]], np.int32)
    options = {"sampling_mode": "bilinear", "padding_mode": "border", "coordinates_mode": "unnormalized"}
    y = run_mil(
        lambda x, c: mb.resample(x=x, coordinates=c, padding_value=np.float32(0), align_corners=True, **options),
        SQUARE,
        c,
    )
    assert y.ravel().tolist() == [2, 7]


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), SIZES, SIZES),
    target=st.tuples(SIZES, SIZES),
    one=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float16]),
)
def test_affine(check, shape, target, one, dtype):
    matrix = np.random.default_rng(2).integers(-12, 12, (1 if one else shape[0], 6)) / 8

    def expected(x, matrix):
        across, down = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in (target[1], target[0]))
        down, across = np.meshgrid(down, across, indexing="ij")
        base = np.stack([across, down, np.ones_like(across)], -1)
        grid = np.stack([base @ row.reshape(2, 3).T for row in np.broadcast_to(matrix, (shape[0], 6))])
        return resampled(x, grid, "bilinear", "constant", 0, COORDINATES[1], True)

    check(
        lambda x, m: mb.affine(
            x=x,
            transform_matrix=m,
            output_height=target[0],
            output_width=target[1],
            sampling_mode="bilinear",
            padding_mode="constant",
            padding_value=dtype(0),
            coordinates_mode="normalized_minus_one_to_one",
            align_corners=True,
        ),
        expected,
        values(shape, dtype),
        matrix.astype(dtype),
        # a place is wrong by the rounding of float32, a value by that times the step between pixels
        scale=4,
    )


AFFINE = {"sampling_mode": "bilinear", "padding_mode": "constant", "padding_value": 0.0, "align_corners": True}


def test_affine_as_in_core_ml():
    y = affine(
        mx.array([11.0, 22.0, 33.0, 44.0]).reshape(1, 1, 2, 2),
        transform_matrix=mx.array([[-1.0, -2.0, -3.7, -1.0, 3.5, 1.2]]),
        output_height=2,
        output_width=5,
        coordinates_mode="normalized_minus_one_to_one",
        **AFFINE,
    )
    np.testing.assert_allclose(np.array(y).ravel(), [10.752501, 5.94, 2.5025, 0.44, 0, 0, 0, 0, 0, 0], atol=1e-5)


def test_affine_between_edges_is_the_identity():
    x = mx.array(values((1, 2, 3, 5)))
    y = affine(
        x,
        transform_matrix=mx.array([[1.0, 0, 0, 0, 1, 0]]),
        output_height=3,
        output_width=5,
        coordinates_mode="normalized_minus_one_to_one",
        **{**AFFINE, "align_corners": False},
    )
    np.testing.assert_allclose(np.array(y), np.array(x), atol=1e-5)


def places(start, end, target, mode):
    length = end - start
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        middle = mode == "ALIGN_CORNERS" and target == 1
        return [(start + end) / 2] if middle else np.linspace(start, end, target)
    if mode == "DEFAULT":
        return [start + min(length, i * (length + 1) / target) for i in range(target)]
    return [start + min(length, (i + 0.5) * max(1, length) / target) for i in range(target)]


def corners(box, mode):
    if mode.endswith("WIDTH_FIRST"):
        box = [box[1], box[0], box[3], box[2]]
    if mode.startswith("CORNERS"):
        return box
    return [box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2]


def cropped(x, box, target, sampling, mode, normalized, scale, pad_value):
    height, width = x.shape[1:]
    box = np.array(corners(box, mode)) * scale
    if normalized:
        box = box * [height - 1, width - 1, height - 1, width - 1]
    y = np.full((len(x), *target), float(pad_value))
    for i, down in enumerate(places(box[0], box[2], target[0], sampling)):
        for j, across in enumerate(places(box[1], box[3], target[1], sampling)):
            if 0 <= down <= height - 1 and 0 <= across <= width - 1:
                y[:, i, j] = looked_up(x, down, across, "bilinear", "border", 0)
    return y


BOX_MODES = ["CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST", "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST"]


@pytest.mark.parametrize("sampling", ["STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS"])
@pytest.mark.parametrize("mode", BOX_MODES)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(2, 6), st.integers(2, 6)),
    target=st.tuples(SIZES, SIZES),
    count=st.integers(1, 3),
    normalized=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float16]),
)
def test_crop_resize(check, sampling, mode, shape, target, count, normalized, dtype):
    rng = np.random.default_rng(3)
    start = rng.integers(-2, 9, (count, 2)) / 8
    boxes = np.concatenate([start, start + rng.integers(1, 7, (count, 2)) / 8], axis=1).astype(np.float32)
    boxes = boxes if normalized else boxes * 4
    image = rng.integers(0, shape[0], count).astype(np.int32)
    options = {"box_coordinate_mode": mode, "sampling_mode": sampling, "normalized_coordinates": normalized}
    check(
        lambda x: mb.crop_resize(
            x=x,
            boxes=boxes,
            box_indices=image,
            target_height=target[0],
            target_width=target[1],
            spatial_scale=np.float32(0.5),
            pad_value=dtype(7),
            **options,
        ),
        lambda x: np.stack(
            [
                cropped(x[n], box, target, sampling, mode, normalized, 0.5, 7)
                for n, box in zip(image, boxes.astype(float), strict=True)
            ]
        ),
        values(shape, dtype),
        scale=4,
    )


CORNERS = {"target_height": 2, "target_width": 2, "sampling_mode": "ALIGN_CORNERS"}
BOXES = np.array([[0.1, 0.3, 1.3, 1.0], [0.5, 1.8, 1.0, 0.3], [0.0, 0.4, 0.6, 0.7]], np.float32)
CROPS = [3.1, 5.2, 10.0, 10.0, 10.0, 7.9, 10.0, 13.9, 2.2, 3.1, 9.4, 10.3]


def test_crop_resize_as_in_core_ml():
    x, boxes = mx.array(SQUARE), mx.array(BOXES)
    new = crop_resize(
        x, boxes=boxes, box_indices=mx.zeros(3, mx.int32), normalized_coordinates=True, pad_value=10.0, **CORNERS
    )
    roi = mx.concatenate([mx.zeros((3, 1)), boxes], axis=1).reshape(3, 1, 5, 1, 1)
    old = crop_resize(x, roi=roi, normalized_coordinates=True, pad_value=10.0, **CORNERS)
    assert (new.shape, old.shape) == ((3, 1, 2, 2), (3, 1, 1, 2, 2))
    np.testing.assert_allclose(np.array(new).ravel(), CROPS, rtol=1e-5)
    np.testing.assert_allclose(np.array(old).ravel(), CROPS, rtol=1e-5)


def test_a_box_without_a_number_is_cut_out_of_every_image():
    x = mx.array(values((2, 3, 4, 5)))
    roi = mx.array([[1.0, 1, 2, 2], [2, 2, 1, 1]]).reshape(2, 1, 4, 1, 1)
    y = crop_resize(x, roi=roi, **CORNERS)
    assert y.shape == (2, 2, 3, 2, 2)
    np.testing.assert_allclose(np.array(y[0]), np.array(x[:, :, 1:3, 1:3]), rtol=1e-6)
    np.testing.assert_allclose(np.array(y[1]), np.array(x[:, :, 1:3, 1:3])[..., ::-1, ::-1], rtol=1e-6)


def test_boxes_without_numbers_are_one_an_image():
    x = mx.array(values((3, 1, 4, 4)))
    y = crop_resize(x, boxes=mx.array([[0, 0, 1, 1], [1, 1, 2, 2]], mx.uint16), **CORNERS)
    np.testing.assert_array_equal(np.array(y), np.stack([np.array(x[0, :, :2, :2]), np.array(x[1, :, 1:3, 1:3])]))


def test_what_no_one_defines_is_refused():
    x, boxes = mx.array(SQUARE), mx.array(BOXES)
    with pytest.raises(NotCovered, match="UNALIGN_CORNERS"):
        crop_resize(x, boxes=boxes[:1], sampling_mode="UNALIGN_CORNERS")
    with pytest.raises(NotCovered, match="roi"):
        crop_resize(mx.zeros((2, 1, 4, 4)), roi=mx.zeros((1, 1, 5, 1, 1)))
    with pytest.raises(NotCovered, match="coordinates_mode=unnormalized"):
        affine(x, transform_matrix=boxes, output_height=1, output_width=1, coordinates_mode="unnormalized", **AFFINE)


def test_channels_last_is_the_same():
    x, c = values((2, 3, 4, 5)), mx.array(values((2, 3, 2, 2), seed=1))
    options = {"coordinates_mode": "normalized_minus_one_to_one", **AFFINE}
    box = mx.array([[0.0, 1, 2, 3]])
    for function in (
        lambda x, **k: resample(x, coordinates=c, **options, **k),
        lambda x, **k: affine(x, transform_matrix=c.reshape(4, 6)[:1], output_height=3, output_width=2, **options, **k),
        lambda x, **k: crop_resize(x, boxes=box, box_indices=mx.array([1]), **CORNERS, **k),
    ):
        first = np.array(function(mx.array(x)))
        last = np.array(function(mx.array(x.transpose(0, 2, 3, 1)), channels_last=True))
        np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))
