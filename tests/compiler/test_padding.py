"""Padding as MIL's own shape inference has it."""

from coremltools.converters.mil.mil.ops.defs._utils import spatial_dimensions_out_shape
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.padding import flat, resolve

AXIS = st.tuples(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))


@given(axes=st.lists(AXIS, min_size=1, max_size=3), pad_type=st.sampled_from(["same", "same_lower"]))
def test_same_padding_gives_the_size_that_mil_declares(axes, pad_type):
    size, kernel, strides, dilations = zip(*axes, strict=True)
    declared = spatial_dimensions_out_shape(pad_type, size, kernel, strides, dilations)
    pads = resolve(pad_type, None, size, kernel, strides, dilations)
    for n, k, s, d, (before, after), wanted in zip(size, kernel, strides, dilations, pads, declared, strict=True):
        assert (n + before + after - (k - 1) * d - 1) // s + 1 == wanted
        assert abs(before - after) <= 1
        assert (after >= before) if pad_type == "same" else (before >= after)


def test_custom_padding_is_what_is_given():
    assert resolve("custom", (1, 2, 3, 4), (5, 5), (3, 3), (1, 1), (1, 1)) == ((1, 2), (3, 4))
    assert resolve("custom", None, (5,), (3,), (1,), (1,)) == ((0, 0),)
    assert flat(((1, 2), (3, 4))) == (1, 2, 3, 4)


def test_valid_is_none():
    assert resolve("valid", (1, 2), (5,), (3,), (1,), (1,)) == ((0, 0),)
