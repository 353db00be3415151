"""Layers over depth, height and width against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx

SPACE = (2, 3, 4)


def windows(x, kernel, stride, dilation=(1, 1, 1)):
    spread = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x, spread, SPACE)
    view = view[:, :, :: stride[0], :: stride[1], :: stride[2]]
    return view[..., :: dilation[0], :: dilation[1], :: dilation[2]]


@pytest.mark.parametrize(
    ("mode", "edges"),
    [("valid", [(0, 0)] * 3), ("custom", [(1, 0), (0, 2), (1, 1)]), ("same", [(0, 0), (1, 1), (0, 1)])],
)
def test_convolution(check_layers, noise, mode, edges):
    kernel, stride = (1, 3, 2), (1, 1, 2)
    weight, bias = noise(4, 3, *kernel, seed=1), noise(4, seed=2)

    def expected(x):
        padded = np.pad(x, [(0, 0), (0, 0), *edges])
        return np.einsum("ncdhwijk,ocijk->nodhw", windows(padded, kernel, stride), weight) + bias.reshape(-1, 1, 1, 1)

    (front, back), (top, bottom), (left, right) = edges if mode == "custom" else [(0, 0)] * 3
    check_layers(
        lambda b: b.add_convolution3d("layer", 3, 4, *kernel, weight, bias, True, 1, *stride, padding_mode=mode,
                                      padding_front=front, padding_back=back, padding_top=top, padding_bottom=bottom,
                                      padding_left=left, padding_right=right, input_name="x0", output_name="y"),
        expected,
        noise(1, 3, 4, 5, 5),
    )  # fmt: skip


def test_deconvolution_is_refused(network, run_network, noise):
    specification = network(
        lambda b: b.add_convolution3d("layer", 1, 1, 2, 2, 2, noise(1, 1, 2, 2, 2), None, False, input_name="x0",
                                      output_name="y"),
        (1, 1, 3, 3, 3),
    )  # fmt: skip
    specification.neuralNetwork.layers[0].convolution3d.isDeconvolution = True
    with pytest.raises(UnsupportedOps, match="isDeconvolution"):
        run_network(specification, noise(1, 1, 3, 3, 3))


@pytest.mark.parametrize(("kind", "operation"), [("MAX", np.max), ("AVERAGE", np.mean)])
def test_pooling(check_layers, noise, kind, operation):
    check_layers(
        lambda b: b.add_pooling3d("layer", "x0", "y", kind, 2, 2, 3, 1, 2, 1, "valid"),
        lambda x: operation(windows(x, (2, 2, 3), (1, 2, 1)), (-3, -2, -1)),
        noise(1, 2, 4, 5, 5),
    )
    check_layers(
        lambda b: b.add_global_pooling3d("layer", "x0", "y", kind),
        lambda x: operation(x, SPACE, keepdims=True),
        noise(1, 2, 4, 5, 5),
    )
