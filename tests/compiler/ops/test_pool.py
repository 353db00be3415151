"""Pooling against its definition."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.pool import avg_pool, l2_pool, max_pool
from app.compiler.ops.registry import NotCovered
from app.compiler.padding import resolve

pytestmark = pytest.mark.mlx


def pooled(kind, x, kernel, strides, pads, out, exclude=False):
    """Window by window. What lies beyond the padding (ceil mode) takes no part at all."""
    y = np.zeros((*x.shape[:2], *out))
    for i in range(out[0]):
        for j in range(out[1]):
            (top, bottom), (left, right) = (
                (n * s - p[0], min(n * s - p[0] + k, size + p[1]))
                for n, s, k, p, size in zip((i, j), strides, kernel, pads, x.shape[2:], strict=True)
            )
            window = x[:, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            if kind == "max_pool":
                y[:, :, i, j] = window.max(axis=(2, 3), initial=-np.inf)
            elif kind == "l2_pool":
                y[:, :, i, j] = np.sqrt((window**2).sum(axis=(2, 3)))
            else:
                count = max(1, window[0, 0].size) if exclude else (bottom - top) * (right - left)
                y[:, :, i, j] = window.sum(axis=(2, 3)) / count
    return y


@st.composite
def cases(draw):
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    size = tuple(draw(st.integers(k, 11)) for k in kernel)
    pad_type = draw(st.sampled_from(["valid", "same", "same_lower", "custom"]))
    ceil = pad_type in ("valid", "custom") and draw(st.booleans())
    pad = None
    if pad_type == "custom":
        # no window of padding alone: its largest value would be minus infinity, in Core ML too
        pad = [draw(st.integers(0, k // 2)) for k in kernel for _ in range(2)]
        pad = [pad[0], pad[0], pad[2], pad[2]] if ceil else pad
    strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    if ceil:
        # an axis without padding: the last window starts inside the image
        padded = [bool(pad and pad[2 * axis]) for axis in (0, 1)]
        strides = tuple(s if p else min(s, k) for s, k, p in zip(strides, kernel, padded, strict=True))
    return {
        "kernel_sizes": kernel,
        "strides": strides,
        "pad_type": pad_type,
        "pad": pad,
        "ceil_mode": ceil,
    }, (2, 3, *size)


def shape_and_pads(case, shape, out):
    pads = resolve(case["pad_type"], case["pad"], shape[2:], case["kernel_sizes"], case["strides"], (1, 1))
    return case["kernel_sizes"], case["strides"], pads, out


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool", "l2_pool"])
@given(case=cases(), dtype=st.sampled_from([np.float32, np.float16]), exclude=st.booleans())
def test_pool(run_mil, kind, case, dtype, exclude):
    options, shape = case
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    extra = {"exclude_padding_from_average": exclude} if kind == "avg_pool" else {}
    given = {k: v for k, v in options.items() if v is not None}
    y = run_mil(lambda x: getattr(mb, kind)(x=x, **given, **extra), x)
    wanted = pooled(kind, x.astype(float), *shape_and_pads(options, shape, y.shape[2:]), exclude)
    np.testing.assert_allclose(
        y, wanted, rtol=2e-3 if dtype == np.float16 else 1e-5, atol=2e-3 if dtype == np.float16 else 1e-5
    )


@pytest.mark.parametrize("function", [max_pool, avg_pool, l2_pool])
@given(case=cases())
def test_channels_last_is_the_same(function, case):
    options, shape = case
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    first = function(mx.array(x), **options)
    last = function(mx.array(x.transpose(0, 2, 3, 1)), **options, channels_last=True)
    np.testing.assert_array_equal(np.array(first), np.array(last).transpose(0, 3, 1, 2))


def test_a_window_outside_of_the_image_is_refused():
    with pytest.raises(NotCovered, match="ceil_mode"):
        avg_pool(mx.zeros((1, 1, 2, 2)), kernel_sizes=(1, 1), strides=(2, 2), ceil_mode=True)
