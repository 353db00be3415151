"""Convolution and deconvolution layers against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mlx

SIZES = st.integers(1, 3)


def convolved(x, weight, bias, stride, dilation, edges, groups):
    """x N×C×H×W, weight O×C/groups×kh×kw: each output pixel is the sum over its window."""
    x = np.pad(x, ((0, 0), (0, 0), *edges))
    out, each, kh, kw = weight.shape
    rows = (x.shape[2] - (kh - 1) * dilation[0] - 1) // stride[0] + 1
    columns = (x.shape[3] - (kw - 1) * dilation[1] - 1) // stride[1] + 1
    y = np.zeros((len(x), out, rows, columns))
    for o in range(out):
        group = o // (out // groups)
        part = x[:, group * each : (group + 1) * each]
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride[0], j * stride[1]
                window = part[
                    :, :, top : top + kh * dilation[0] : dilation[0], left : left + kw * dilation[1] : dilation[1]
                ]
                y[:, o, i, j] = (window[:, :, :kh, :kw] * weight[o]).sum((1, 2, 3)) + bias[o]
    return y


def deconvolved(x, weight, stride, groups):
    """x N×C×H×W, weight C×O/groups×kh×kw: each input pixel adds its multiple of the kernel."""
    channels, each, kh, kw = weight.shape
    y = np.zeros((len(x), each * groups, (x.shape[2] - 1) * stride[0] + kh, (x.shape[3] - 1) * stride[1] + kw))
    for c in range(channels):
        group = c // (channels // groups)
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                place = y[:, group * each : (group + 1) * each, i * stride[0] :, j * stride[1] :]
                place[:, :, :kh, :kw] += x[:, c, i, j][:, None, None, None] * weight[c]
    return y


def halves(total, heavy):
    small, large = total // 2, total - total // 2
    return (small, large) if heavy == "BOTTOM_RIGHT_HEAVY" else (large, small)


def add(builder, weight, bias, stride, **more):
    """One layer; the builder wants weights as kh×kw×kernel channels×output channels."""
    deconvolution = more.get("is_deconv", False)
    groups = more.pop("groups", 1)
    builder.add_convolution(
        "layer", weight.shape[0 if deconvolution else 1], len(bias), *weight.shape[2:], *stride,
        more.pop("border_mode", "valid"), groups, weight.transpose(2, 3, 0, 1) if deconvolution else
        weight.transpose(2, 3, 1, 0), bias, True, input_name="x0", output_name="y", **more,
    )  # fmt: skip


@given(groups=SIZES, each=SIZES, out=SIZES, kernel=st.tuples(SIZES, SIZES), stride=st.tuples(SIZES, SIZES),
       dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), top=SIZES, right=SIZES)  # fmt: skip
def test_windows_strides_dilations_and_groups(
    check_layers, noise, groups, each, out, kernel, stride, dilation, top, right
):
    x, weight = noise(1, groups * each, 7, 6), noise(groups * out, each, *kernel, seed=1)
    bias = noise(groups * out, seed=2)
    check_layers(
        lambda b: add(b, weight, bias, stride, groups=groups, dilation_factors=list(dilation), padding_top=top,
                      padding_right=right),
        lambda x: convolved(x, weight, bias, stride, dilation, ((top, 0), (0, right)), groups),
        x,
    )  # fmt: skip


@given(sizes=st.tuples(st.integers(3, 8), st.integers(3, 8)), kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
       stride=st.tuples(SIZES, SIZES), heavy=st.sampled_from(["BOTTOM_RIGHT_HEAVY", "TOP_LEFT_HEAVY"]))  # fmt: skip
def test_same_padding_keeps_the_size_over_the_stride(check_layers, noise, sizes, kernel, stride, heavy):
    weight, bias = noise(2, 3, *kernel, seed=1), noise(2, seed=2)
    edges = [halves(max(0, (-(-n // s) - 1) * s + k - n), heavy) for n, k, s in zip(sizes, kernel, stride, strict=True)]
    check_layers(
        lambda b: add(b, weight, bias, stride, border_mode="same", same_padding_asymmetry_mode=heavy),
        lambda x: convolved(x, weight, bias, stride, (1, 1), edges, 1),
        noise(2, 3, *sizes),
    )


def test_axes_before_the_channels_are_a_batch(check_layers, noise):
    weight, bias = noise(4, 3, 3, 3, seed=1), noise(4, seed=2)

    def expected(x):
        return convolved(x.reshape(6, 3, 5, 5), weight, bias, (1, 1), (1, 1), ((0, 0), (0, 0)), 1).reshape(
            2, 3, 4, 3, 3
        )

    check_layers(lambda b: add(b, weight, bias, (1, 1)), expected, noise(2, 3, 3, 5, 5))


def test_weights_may_be_an_input(check_layers, noise):
    bias = np.zeros(4)

    def body(builder):
        builder.add_convolution("layer", 3, 4, 2, 2, 1, 1, "valid", 1, None, None, False, input_name=["x0", "x1"],
                                output_name="y")  # fmt: skip

    check_layers(
        body,
        lambda x, w: convolved(x, w, bias, (1, 1), (1, 1), ((0, 0), (0, 0)), 1),
        noise(1, 3, 5, 4),
        noise(4, 3, 2, 2, seed=1),
    )


@given(groups=SIZES, each=SIZES, out=SIZES, kernel=st.tuples(SIZES, SIZES), stride=st.tuples(SIZES, SIZES),
       cut=st.integers(0, 1))  # fmt: skip
def test_deconvolution_spreads_every_pixel(check_layers, noise, groups, each, out, kernel, stride, cut):
    weight, bias = noise(groups * each, out, *kernel, seed=1), noise(groups * out, seed=2)

    def expected(x):
        y = deconvolved(x, weight, stride, groups) + bias[:, None, None]
        return y[:, :, cut:, : y.shape[3] - cut]

    check_layers(
        lambda b: add(b, weight, bias, stride, groups=groups, is_deconv=True, padding_top=cut, padding_right=cut),
        expected,
        noise(1, groups * each, 4, 3),
    )


@pytest.mark.parametrize("heavy", ["BOTTOM_RIGHT_HEAVY", "TOP_LEFT_HEAVY"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_same_deconvolution_multiplies_the_size_by_the_stride(check_layers, noise, kernel, heavy):
    """A kernel smaller than the stride leaves rows and columns at the end where only the bias is."""
    weight, bias, stride = noise(2, 3, kernel, kernel, seed=1), noise(3, seed=2), (3, 2)

    def expected(x):
        y = deconvolved(x, weight, stride, 1)
        for axis, s in ((2, 3), (3, 2)):
            before, after = halves(max(kernel - s, 0), heavy)
            pads = [(0, 0)] * 4
            pads[axis] = (0, max(s - kernel, 0))
            y = np.take(np.pad(y, pads), range(before, y.shape[axis] + pads[axis][1] - after), axis=axis)
        return y + bias[:, None, None]

    check_layers(
        lambda b: add(b, weight, bias, stride, is_deconv=True, border_mode="same", same_padding_asymmetry_mode=heavy),
        expected,
        noise(1, 2, 3, 4),
    )


def test_output_shape_of_a_deconvolution_wins_over_its_padding(check_layers, noise):
    weight, bias = noise(2, 3, 3, 3, seed=1), noise(3, seed=2)
    check_layers(
        lambda b: add(b, weight, bias, (2, 2), is_deconv=True, border_mode="same", output_shape=[6, 5]),
        lambda x: deconvolved(x, weight, (2, 2), 1)[:, :, :6, 1:6] + bias[:, None, None],
        noise(1, 2, 3, 3),
    )


def test_the_older_shape_rules_leave_the_batch_out(check_layers, noise):
    weight, bias = noise(4, 3, 3, 3, seed=1), noise(4, seed=2)
    check_layers(
        lambda b: add(b, weight, bias, (1, 1)),
        lambda x: convolved(x[None], weight, bias, (1, 1), (1, 1), ((0, 0), (0, 0)), 1)[None],
        noise(3, 5, 6),
        rank_5=True,
    )


@pytest.mark.parametrize("field", ["kernelSize", "stride"])
def test_sizes_that_are_no_pair_are_named(network, run_network, noise, field):
    from app.errors import ModelUnreadable

    specification = network(lambda b: add(b, noise(4, 3, 3, 3), noise(4), (1, 1)), (1, 3, 5, 5))
    getattr(specification.neuralNetwork.layers[0].convolution, field).append(2)
    with pytest.raises(ModelUnreadable, match="layer \\(convolution\\)"):
        run_network(specification, noise(1, 3, 5, 5))
