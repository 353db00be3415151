"""Convolution and deconvolution over height and width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, spatial, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import of_one_type, weights

Edges = list[tuple[int, int]]
"""Before and after, for each spatial axis."""


def pair(values: Any, default: int) -> tuple[int, int]:
    """A repeated field of [H, W]; unset it means `default` for both. Raises ValueError for another length or zeros."""
    if not values:
        return default, default
    if len(values) != 2 or not all(values):
        raise ValueError(f"sizes {list(values)} where height and width are needed")
    return int(values[0]), int(values[1])


def border(amounts: Any) -> Edges:
    """`BorderAmounts`; unset they are zero. Raises ValueError."""
    edges = [(int(one.startEdgeSize), int(one.endEdgeSize)) for one in amounts.borderAmounts]
    if len(edges) not in (0, 2):
        raise ValueError(f"{len(edges)} border amounts where height and width are needed")
    return edges or [(0, 0), (0, 0)]


def same_edges(total: Sequence[int], padding: Any) -> Edges:
    """`SamePadding`: the totals halved, an odd one heavier at the end, or at the start when the file says so."""
    small_first = padding.asymmetryMode == padding.BOTTOM_RIGHT_HEAVY
    return [(t // 2, t - t // 2) if small_first else (t - t // 2, t // 2) for t in total]


def flat(edges: Edges) -> list[int]:
    """As MIL's `pad` wants them."""
    return [size for edge in edges for size in edge]


def same_totals(sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int]) -> list[int]:
    """How much padding makes the result ceil(size / stride) long."""
    return [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(sizes, kernel, stride, strict=True)]


@rebuilds("convolution")
def convolution(layer: Layer) -> Blob:
    """Over the last two axes; channels are in the third last, and everything before it is a batch."""
    given = layer.parameters
    if given.isDeconvolution:
        return _deconvolution(layer)
    x, back = spatial(layer.x)
    kernel, stride, dilation = pair(given.kernelSize, 3), pair(given.stride, 1), pair(given.dilationFactor, 1)
    weight, bias = None, _bias(given)
    if len(layer.inputs) > 1:
        weight = whole(layer.input(1))
        kernel = (int(weight.shape[-2]), int(weight.shape[-1]))
        bias = None if bias is None else bias.astype(np.float32)
    else:
        shape = (given.outputChannels, given.kernelChannels, *kernel)
        weight, bias = of_one_type(weights(given.weights, shape), bias)
    spread = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    edges = border(given.valid.paddingAmounts)
    if given.WhichOneof("ConvolutionPaddingType") == "same":
        edges = same_edges(same_totals(x.shape[-2:], spread, stride), given.same)
    return back(
        mb.conv(
            x=x,
            weight=weight,
            bias=bias,
            strides=stride,
            dilations=dilation,
            groups=max(int(given.nGroups), 1),
            pad_type="custom",
            pad=flat(edges),
        )
    )


def _deconvolution(layer: Layer) -> Blob:
    """The transposed convolution, cut at its edges to the wanted size; the file's dilation has no meaning here.

    "Same" gives size times stride, `outputShape` any size. What is cut, and where, is what a convolution from that
    size to the input's would pad. What the kernel does not reach of the wanted size is at the end, the bias alone.
    """
    given = layer.parameters
    x, back = spatial(layer.x)
    groups = max(int(given.nGroups), 1)
    kernel, stride = pair(given.kernelSize, 3), pair(given.stride, 1)
    shape = (given.kernelChannels, given.outputChannels // groups, *kernel)
    weight, bias = of_one_type(weights(given.weights, shape, channel_axis=1), _bias(given))
    edges, beyond = border(given.valid.paddingAmounts), [0, 0]
    if given.outputShape or given.WhichOneof("ConvolutionPaddingType") == "same":
        sizes = zip(x.shape[-2:], kernel, stride, pair(given.outputShape, 1), strict=True)
        over = [(n - 1) * s + k - (wanted if given.outputShape else n * s) for n, k, s, wanted in sizes]
        edges, beyond = same_edges([max(o, 0) for o in over], given.same), [max(-o, 0) for o in over]
    reaches = not any(beyond)
    y = mb.conv_transpose(x=x, weight=weight, bias=bias if reaches else None, strides=stride, groups=groups,
                          pad_type="custom", pad=flat(edges))  # fmt: skip
    if reaches:
        return back(y)
    y = mb.pad(x=y, pad=[0, beyond[0], 0, beyond[1]], mode="constant", constant_val=np.float32(0))
    return back(y if bias is None else mb.add(x=y, y=bias.astype(np.float32).reshape(1, -1, 1, 1)))


def _bias(given: Any) -> np.ndarray | None:
    return weights(given.bias, (given.outputChannels,)) if given.hasBias else None
