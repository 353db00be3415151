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


def pooled_anywhere(kind, x, kernel, strides, pads, out, exclude):
    """Window by window over any number of axes, without ceil mode."""
    y = np.zeros((*x.shape[:2], *out))
    for place in np.ndindex(*out):
        spans = [(n * s - p[0], n * s - p[0] + k) for n, s, k, p in zip(place, strides, kernel, pads, strict=True)]
        window = x[(slice(None), slice(None), *(slice(max(0, a), max(0, b)) for a, b in spans))]
        axes = tuple(range(2, x.ndim))
        count = window[0, 0].size if exclude else np.prod(kernel)
        y[(slice(None), slice(None), *place)] = {
            "max_pool": lambda w=window, a=axes: w.max(axis=a),
            "l2_pool": lambda w=window, a=axes: np.sqrt((w**2).sum(axis=a)),
            "avg_pool": lambda w=window, a=axes, n=count: w.sum(axis=a) / n,
        }[kind]()
    return y


@pytest.mark.parametrize(
    ("kind", "rank"), [("max_pool", 1), ("avg_pool", 1), ("l2_pool", 1), ("max_pool", 3), ("avg_pool", 3)]
)
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float16]), exclude=st.booleans())
def test_pool_over_one_and_three_axes(run_mil, kind, rank, data, dtype, exclude):
    numbers = lambda low, high: tuple(data.draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    kernel, strides = numbers(1, 3), numbers(1, 3)
    size = tuple(data.draw(st.integers(k, 6)) for k in kernel)
    pad_type = data.draw(st.sampled_from(["valid", "same", "same_lower", "custom"]))
    pad = [data.draw(st.integers(0, k // 2)) for k in kernel for _ in range(2)] if pad_type == "custom" else None
    options = {"kernel_sizes": kernel, "strides": strides, "pad_type": pad_type, **({"pad": pad} if pad else {})}
    if kind == "avg_pool":
        options["exclude_padding_from_average"] = exclude
    x = np.random.default_rng(0).standard_normal((2, 3, *size)).astype(dtype)
    y = run_mil(lambda x: getattr(mb, kind)(x=x, **options), x)
    pads = resolve(pad_type, pad, size, kernel, strides, (1,) * rank)
    unit = 2e-3 if dtype == np.float16 else 1e-5
    wanted = pooled_anywhere(kind, x.astype(float), kernel, strides, pads, y.shape[2:], exclude)
    np.testing.assert_allclose(y, wanted, rtol=unit, atol=unit)


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool", "l2_pool"])
@given(size=st.integers(1, 9), kernel=st.integers(1, 5), stride=st.integers(1, 4), pad=st.integers(0, 4))
def test_ceil_mode_has_the_shape_that_mil_declares(program_of, run_program, kind, size, kernel, stride, pad):
    """In all corners: what MIL's type inference declares comes out, or the attribute is refused by name."""
    if size + 2 * pad < kernel:
        return
    options = {"kernel_sizes": [kernel], "strides": [stride], "pad_type": "custom", "pad": [pad, pad]}
    x = np.random.default_rng(0).standard_normal((1, 2, size)).astype(np.float32)
    program = program_of(lambda x: getattr(mb, kind)(x=x, ceil_mode=True, **options), x)
    declared = program.outputs[0][1].shape
    if pad == 0 and (declared[2] - 1) * stride >= size:
        with pytest.raises(NotCovered, match="window outside of the image"):
            run_program(program, x)
        return
    (y,) = run_program(program, x)
    assert y.shape == declared


def test_a_window_over_everything_is_one_reduction():
    x = mx.array(np.random.default_rng(0).standard_normal((2, 3, 40, 50)).astype(np.float32))
    whole = {"kernel_sizes": (40, 50), "strides": (1, 1)}
    np.testing.assert_allclose(np.array(avg_pool(x, **whole)), np.array(x).mean(axis=(2, 3), keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(np.array(max_pool(x, **whole)), np.array(x).max(axis=(2, 3), keepdims=True))


def test_words_for_padding():
    x = mx.array(np.arange(5, dtype=np.float32).reshape(1, 1, 5))
    assert max_pool(x, kernel_sizes=(2,), strides=(2,), pad_type="SAME").tolist() == [[[1, 3, 4]]]
    with pytest.raises(NotCovered, match="pad_type=mirrored"):
        max_pool(x, kernel_sizes=(2,), pad_type="mirrored")
