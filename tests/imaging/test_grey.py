"""Grey pictures weigh the colours as the eye does."""

import numpy as np

from app.imaging.grey import to_grey


def test_luma_is_that_of_bt_601():
    rgb = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    grey = to_grey(rgb)
    assert (grey.shape, grey.dtype) == ((7, 5, 1), np.uint8)
    assert np.abs(grey[..., 0] - rgb @ [0.299, 0.587, 0.114]).max() <= 0.51


def test_a_grey_picture_stays_as_it_is():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_grey(np.repeat(values[..., None], 3, axis=2))[..., 0], values)
