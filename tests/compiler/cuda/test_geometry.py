"""The integers that a kernel reads say what the convolution is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.cuda.geometry import POINT, bits, joined, product_numbers, window


@given(number=st.floats(width=32))
def test_a_float_travels_as_its_bits(number):
    assert np.array(np.int32(bits(number))).view(np.float32) == np.float32(number) or np.isnan(number)


@given(size=st.integers(1, 40), kernel=st.integers(1, 5), stride=st.integers(1, 3), pad=st.integers(0, 2))
def test_a_window_has_as_many_places_as_fit(size, kernel, stride, pad):
    size += kernel
    found = window((1, size, size, 3), (kernel, kernel), (stride, stride), (pad,) * 4)
    assert found.out_height == found.out_width == len(range(0, size + 2 * pad - kernel + 1, stride))


def test_only_a_window_of_one_pixel_a_step_apart_is_a_plain_product():
    none = ("none", 0.0, 0.0)
    for kernel, stride, point in ((1, 1, True), (1, 2, False), (3, 1, False)):
        moved = window((1, 8, 8, 4), (kernel, kernel), (stride, stride), (kernel // 2,) * 4)
        flags = product_numbers(64, 4, 4, moved, 0, none)[15]
        assert bool(flags & POINT) == point
    assert product_numbers(5, 4, 3, None, 0, none)[15] & POINT


@given(size=st.integers(1, 6), kernel=st.integers(1, 4), pad=st.integers(0, 1), gap=st.integers(0, 1))
def test_windows_side_by_side_are_told_as_channels(size, kernel, pad, gap):
    width = size * kernel
    moved = window((2, width, width, 3), (kernel, kernel), (kernel, kernel + gap), (0, 0, pad, 0))
    found = joined(moved)
    if pad or gap:
        assert found == moved
    else:
        assert (found.width, found.channels, found.kernel) == (size, 3 * kernel, (kernel, 1))
        assert (found.out_height, found.out_width) == (moved.out_height, moved.out_width)
