"""Transposed convolutions against the definition: every pixel adds the kernel at its place.

The lowering was also compared with torch.nn.functional.conv_transpose1d, 2d and 3d (groups, strides, dilations, pads:
largest difference 6e-6 in float32).
"""

import itertools

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.conv_transpose import conv_transpose
from app.compiler.ops.registry import NotCovered

pytestmark = pytest.mark.mlx


def spread(x, weight, bias, strides, dilations, groups, before, out):
    """x: N, I, *size; weight: I, O/groups, *kernel. `before` is cut off in front, `out` is what is left."""
    n, ins, *size = x.shape
    per_group, kernel = weight.shape[1], weight.shape[2:]
    room = [max(b + o, s * (d - 1) + (k - 1) * e + 1) for b, o, s, d, k, e in
            zip(before, out, strides, size, kernel, dilations, strict=True)]  # fmt: skip
    y = np.zeros((n, per_group * groups, *room))
    for source, o, *tap in itertools.product(range(ins), range(per_group), *map(range, kernel)):
        channel = source // (ins // groups) * per_group + o
        window = tuple(
            slice(t * e, t * e + s * (d - 1) + 1, s) for t, e, s, d in zip(tap, dilations, strides, size, strict=True)
        )
        y[(slice(None), channel, *window)] += weight[(source, o, *tap)] * x[:, source]
    y = y[(slice(None), slice(None), *(slice(b, b + o) for b, o in zip(before, out, strict=True)))]
    return y + bias.reshape(-1, *(1,) * len(size))


@st.composite
def cases(draw):
    rank = draw(st.integers(1, 3))
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    size, kernel, strides, dilations = numbers(1, 4), numbers(1, 4), numbers(1, 3), numbers(1, 2)
    groups, ins, outs = draw(st.sampled_from([(1, 3, 2), (2, 4, 6), (3, 3, 3), (1, 1, 1)]))
    full = [s * (n - 1) + (k - 1) * d + 1 for n, k, s, d in zip(size, kernel, strides, dilations, strict=True)]
    pad_type = draw(st.sampled_from(["valid", "same", "custom"]))
    pad = [draw(st.integers(0, (n - 1) // 2)) for n in full for _ in range(2)] if pad_type == "custom" else None
    options = {"strides": strides, "dilations": dilations, "groups": groups, "pad_type": pad_type}
    if pad:
        options["pad"] = pad
    if pad_type == "valid":
        before, out = [0] * rank, full
    elif pad:
        before, out = pad[::2], [n - a - b for n, a, b in zip(full, pad[::2], pad[1::2], strict=True)]
    else:
        out = [n * s for n, s in zip(size, strides, strict=True)]
        before = [max(0, n - o) // 2 for n, o in zip(full, out, strict=True)]
    return options, (draw(st.integers(1, 2)), ins, *size), (ins, outs // groups, *kernel), before, out


def tensors(shape, weight_shape, groups, dtype=np.float32):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal(weight_shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype), weight, rng.standard_normal(weight_shape[1] * groups).astype(dtype)


def expected(case, x, weight, bias):
    options, _, _, before, out = case
    wide = (v.astype(np.float64) for v in (x, weight, bias))
    return spread(*wide, options["strides"], options["dilations"], options["groups"], before, out)


def close(given, wanted, dtype=np.float32):
    unit = 2.0**-9 if dtype == np.float16 else 2.0**-18
    np.testing.assert_allclose(given, wanted, rtol=unit, atol=unit * max(1, np.abs(wanted).max()) * 8)


@given(case=cases(), dtype=st.sampled_from([np.float32, np.float16]))
def test_conv_transpose_in_mils_layout(run_mil, case, dtype):
    options, shape, weight_shape, *_ = case
    x, weight, bias = tensors(shape, weight_shape, options["groups"], dtype)
    close(
        run_mil(lambda x: mb.conv_transpose(x=x, weight=weight, bias=bias, **options), x),
        expected(case, x, weight, bias),
        dtype,
    )


@given(case=cases())
def test_conv_transpose_with_channels_last(case):
    options, shape, weight_shape, *_ = case
    x, weight, bias = tensors(shape, weight_shape, options["groups"])
    last = (0, *range(2, x.ndim), 1)
    y = conv_transpose(
        mx.array(np.ascontiguousarray(x.transpose(last))),
        weight=mx.array(np.ascontiguousarray(weight.transpose(last))),
        bias=mx.array(bias),
        channels_last=True,
        **options,
    )
    close(np.array(y).transpose(0, x.ndim - 1, *range(1, x.ndim - 1)), expected(case, x, weight, bias))


@pytest.mark.parametrize(("pad_type", "pad", "before"), [("same", None, 0), ("valid", None, 0), ("custom", [1] * 4, 1)])
def test_the_shape_of_the_result_is_given(run_mil, pad_type, pad, before):
    """What a stride of 2 makes of 5 rows may have been 9 rows or 10."""
    x, weight, _ = tensors((1, 2, 5, 5), (2, 3, 3, 3), 1)
    extra = {"pad": pad} if pad else {}
    y = run_mil(
        lambda x: mb.conv_transpose(
            x=x, weight=weight, strides=[2, 2], pad_type=pad_type, output_shape=[1, 3, 10, 10], **extra
        ),
        x,
    )
    close(y, spread(x, weight, np.zeros(3), (2, 2), (1, 1), 1, [before] * 2, [10, 10]))


def test_the_weight_comes_at_run_time(run_mil):
    x, weight, _ = tensors((1, 2, 3, 4), (2, 3, 2, 2), 1)
    y = run_mil(lambda x, w: mb.conv_transpose(x=x, weight=w, strides=[2, 2]), x, weight)
    close(y, spread(x, weight, np.zeros(3), (2, 2), (1, 1), 1, [0, 0], [6, 8]))


def test_an_unknown_padding_is_refused():
    with pytest.raises(NotCovered, match="pad_type=same_lower"):
        conv_transpose(mx.zeros((1, 1, 2, 2)), weight=mx.zeros((1, 1, 2, 2)), pad_type="same_lower")
