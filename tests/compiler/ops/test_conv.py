"""Convolutions against NumPy, in MIL's layout and with channels last, on MLX's own and on the CPU's routes."""

import itertools

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.conv import conv, conv_quantized
from app.compiler.ops.registry import NotCovered
from app.compiler.padding import resolve
from app.compiler.passes.cpu_routes import route_convolutions

pytestmark = pytest.mark.mlx


def convolved(x, weight, bias, strides, pads, dilations, groups):
    """The definition: for every output a sum over its window. x: N, C, H, W."""
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    n, _, height, width = x.shape
    o, per_group, kh, kw = weight.shape
    out_h = (height - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    out_w = (width - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    y = np.zeros((n, o, out_h, out_w)) + bias.reshape(-1, 1, 1)
    for channel, i, j, k in itertools.product(range(o), range(kh), range(kw), range(per_group)):
        source = channel // (o // groups) * per_group + k
        rows = slice(i * dilations[0], i * dilations[0] + (out_h - 1) * strides[0] + 1, strides[0])
        columns = slice(j * dilations[1], j * dilations[1] + (out_w - 1) * strides[1] + 1, strides[1])
        y[:, channel] += weight[channel, k, i, j] * x[:, source, rows, columns]
    return y


@st.composite
def cases(draw):
    """Sizes, strides, pads, dilations and groups that fit together."""
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    dilations = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (2, 3)]))
    size = tuple(draw(st.integers((k - 1) * d + 1, 13)) for k, d in zip(kernel, dilations, strict=True))
    strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    groups, ins, outs = draw(st.sampled_from([(1, 3, 4), (1, 1, 1), (2, 4, 6), (3, 3, 3), (4, 4, 4), (2, 2, 4)]))
    pad_type = draw(st.sampled_from(["valid", "same", "same_lower", "custom"]))
    pad = tuple(draw(st.integers(0, 3)) for _ in range(4)) if pad_type == "custom" else None
    dtype = draw(st.sampled_from([np.float32, np.float16]))
    return {
        "x": (draw(st.integers(1, 2)), ins, *size),
        "weight": (outs, ins // groups, *kernel),
        "bias": draw(st.booleans()),
        "strides": strides,
        "dilations": dilations,
        "groups": groups,
        "pad_type": pad_type,
        "pad": pad,
        "dtype": dtype,
    }


def tensors(case):
    rng = np.random.default_rng(0)
    x, weight = (rng.standard_normal(case[name]).astype(case["dtype"]) for name in ("x", "weight"))
    bias = rng.standard_normal(len(weight)).astype(case["dtype"]) * (1 if case["bias"] else 0)
    return x, weight, bias


def body(case, weight, bias):
    given = {name: case[name] for name in ("strides", "dilations", "groups", "pad_type", "pad")}
    extra = {"bias": bias} if case["bias"] else {}
    return lambda x: mb.conv(x=x, weight=weight, **extra, **{k: v for k, v in given.items() if v is not None})


def expected(case, x, weight, bias):
    pads = resolve(case["pad_type"], case["pad"], case["x"][2:], case["weight"][2:], case["strides"], case["dilations"])
    wide = (v.astype(np.float64) for v in (x, weight, bias))
    return convolved(*wide, case["strides"], pads, case["dilations"], case["groups"])


def close(given, wanted, dtype):
    unit = 2.0**-9 if dtype == np.float16 else 2.0**-18
    np.testing.assert_allclose(given, wanted, rtol=unit, atol=unit * max(1, np.abs(wanted).max()) * 8)


@given(case=cases())
def test_conv_in_mils_layout(run_mil, case):
    x, weight, bias = tensors(case)
    close(run_mil(body(case, weight, bias), x), expected(case, x, weight, bias), case["dtype"])


@given(case=cases())
def test_conv_with_channels_last(case):
    x, weight, bias = tensors(case)
    y = conv(
        mx.array(x.transpose(0, 2, 3, 1)),
        weight=mx.array(weight.transpose(0, 2, 3, 1)),
        bias=mx.array(bias),
        channels_last=True,
        **{name: case[name] for name in ("strides", "dilations", "groups", "pad_type", "pad")},
    )
    close(np.array(y).transpose(0, 3, 1, 2), expected(case, x, weight, bias), case["dtype"])


@given(case=cases())
def test_conv_by_the_routes_of_the_cpu(program_of, run_program, case):
    x, weight, bias = tensors(case)
    program = route_convolutions(program_of(body(case, weight, bias), x))
    assert "conv" not in {operation.kind for operation in program.operations}
    (y,) = run_program(program, x)
    close(y, expected(case, x, weight, bias), case["dtype"])


@pytest.mark.parametrize("width", [1, 2, 7, 13, 14, 16, 33, 37, 56, 65, 74, 112, 113, 130])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2), (7, 1)])
def test_bands_cover_rows_of_any_width(program_of, run_program, width, kernel, stride):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 4, width * stride)).astype(np.float32)
    weight = rng.standard_normal((3, 1, kernel, kernel)).astype(np.float32)
    case = {"x": x.shape, "weight": weight.shape, "bias": False, "strides": (stride,) * 2, "dilations": (1, 1)}
    case |= {"groups": 3, "pad_type": "same", "pad": None}
    program = route_convolutions(program_of(body(case, weight, None), x))
    assert [operation.kind for operation in program.operations] == ["banded_conv"]
    (y,) = run_program(program, x)
    close(y, expected(case, x, weight, np.zeros(3)), np.float32)


@given(length=st.integers(5, 12), stride=st.integers(1, 2), dtype=st.sampled_from([np.float32, np.float16]))
def test_conv_over_one_axis(run_mil, length, stride, dtype):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, length)).astype(dtype), rng.standard_normal((3, 2, 3)).astype(dtype)
    wanted = convolved(
        x[:, :, None].astype(float),
        weight[:, :, None].astype(float),
        np.zeros(3),
        (1, stride),
        ((0, 0), (1, 1)),
        (1, 1),
        1,
    )
    y = run_mil(lambda x: mb.conv(x=x, weight=weight, strides=[stride], pad_type="custom", pad=[1, 1]), x)
    close(y, wanted[:, :, 0], dtype)


def convolved_in_space(x, weight, strides, pads, dilations, groups):
    """Three axes: group by group the sum over every tap of the shifted x."""
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    n, ins, *size = x.shape
    kernel = weight.shape[2:]
    out = [(a - (k - 1) * d - 1) // s + 1 for a, k, s, d in zip(size, kernel, strides, dilations, strict=True)]
    y = np.zeros((n, groups, len(weight) // groups, *out))
    x, weight = x.reshape(n, groups, ins // groups, *size), weight.reshape(groups, -1, ins // groups, *kernel)
    for tap in np.ndindex(*kernel):
        window = [
            slice(t * d, t * d + (o - 1) * s + 1, s) for t, o, s, d in zip(tap, out, strides, dilations, strict=True)
        ]
        y += np.einsum("goi,ngidhw->ngodhw", weight[(..., *tap)], x[(..., *window)])
    return y.reshape(n, -1, *out)


@pytest.mark.parametrize(("groups", "ins", "outs"), [(1, 2, 3), (2, 4, 2), (3, 3, 3), (2, 2, 4)])
@given(
    size=st.tuples(*[st.integers(5, 7)] * 3),
    kernel=st.tuples(*[st.integers(1, 3)] * 3),
    strides=st.tuples(*[st.integers(1, 2)] * 3),
    dilations=st.tuples(*[st.integers(1, 2)] * 3),
    pad_type=st.sampled_from(["valid", "same", "same_lower"]),
    dtype=st.sampled_from([np.float32, np.float16]),
)
def test_conv_over_three_axes(run_mil, groups, ins, outs, size, kernel, strides, dilations, pad_type, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, ins, *size)).astype(dtype)
    weight = rng.standard_normal((outs, ins // groups, *kernel)).astype(dtype)
    options = {"strides": strides, "dilations": dilations, "pad_type": pad_type, "groups": groups}
    pads = resolve(pad_type, None, size, kernel, strides, dilations)
    wanted = convolved_in_space(x.astype(float), weight.astype(float), strides, pads, dilations, groups)
    close(run_mil(lambda x: mb.conv(x=x, weight=weight, **options), x), wanted, dtype)
    last = conv(
        mx.array(np.ascontiguousarray(x.transpose(0, 2, 3, 4, 1))),
        weight=mx.array(np.ascontiguousarray(weight.transpose(0, 2, 3, 4, 1))),
        channels_last=True,
        **options,
    )
    close(np.array(last).transpose(0, 4, 1, 2, 3), wanted, dtype)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_weight_and_bias_come_at_run_time(run_mil, groups):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 4, 5, 6)), rng.standard_normal((8, 4 // groups, 3, 3))
    bias = rng.standard_normal(8)
    y = run_mil(
        lambda x, w, b: mb.conv(x=x, weight=w, bias=b, groups=groups, pad_type="same"),
        *(v.astype(np.float32) for v in (x, weight, bias)),
    )
    close(y, convolved(x, weight, bias, (1, 1), ((1, 1), (1, 1)), (1, 1), groups), np.float32)


def test_the_weight_has_another_type_than_x(run_mil):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 5, 6)).astype(np.float16), rng.standard_normal((3, 2, 3, 3))
    weight = weight.astype(np.float32)
    y = run_mil(lambda x, w: mb.conv(x=x, weight=w), x, weight)
    assert y.dtype == np.float16
    close(y, convolved(x.astype(float), weight, np.zeros(3), (1, 1), ((0, 0),) * 2, (1, 1), 1), np.float16)


@pytest.mark.parametrize("size", [1, 3])
def test_quantized_weights_are_scaled_and_shifted(size):
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 5, 6)).astype(np.float32), rng.integers(0, 256, (3, 2, 3, 3), np.uint8)
    scale, shift = rng.uniform(0.01, 0.02, size), rng.uniform(-2, 0, size)
    column = (-1, 1, 1, 1)
    wanted = convolved(
        x, weight * scale.reshape(column) + shift.reshape(column), np.zeros(3), (1, 1), ((0, 0),) * 2, (1, 1), 1
    )
    y = conv_quantized(
        mx.array(x),
        weight=mx.array(weight),
        quant_scale=mx.array(scale.astype(np.float32)),
        quant_bias=mx.array(shift.astype(np.float32)),
        quantization_type="linear",
    )
    close(np.array(y), wanted, np.float32)
    with pytest.raises(NotCovered, match="lut"):
        conv_quantized(
            mx.array(x),
            weight=mx.array(weight),
            quant_scale=mx.array(scale),
            quant_bias=mx.array(shift),
            quantization_type="lut",
        )
