"""Convolution and pooling over depth, height and width."""

from __future__ import annotations

from typing import Any

from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.layers.convolution import Edges, flat, same_totals
from app.compiler.network.weights import of_one_type, weights


def _three(given: Any, name: str) -> tuple[int, int, int]:
    """Fields like kernelDepth, kernelHeight, kernelWidth; unset they are 1."""
    depth, height, width = (int(getattr(given, f"{name}{axis}")) or 1 for axis in ("Depth", "Height", "Width"))
    return depth, height, width


def _edges(given: Any, sizes: Any, kernel: list[int], stride: tuple[int, int, int]) -> Edges:
    if given.paddingType == given.CUSTOM:
        names = (("Front", "Back"), ("Top", "Bottom"), ("Left", "Right"))
        return [(int(getattr(given, f"customPadding{a}")), int(getattr(given, f"customPadding{b}"))) for a, b in names]
    if given.paddingType == given.VALID:
        return [(0, 0)] * 3
    return [(total // 2, total - total // 2) for total in same_totals(sizes, kernel, stride)]


@rebuilds("convolution3d")
def convolution_3d(layer: Layer) -> Blob:
    """Over the last three axes of five. Raises Refused for a deconvolution."""
    given, x = layer.parameters, whole(layer.x)
    if given.isDeconvolution:
        raise Refused("isDeconvolution")
    groups = max(int(given.nGroups), 1)
    kernel, stride, dilation = _three(given, "kernel"), _three(given, "stride"), _three(given, "dilation")
    weight, bias = of_one_type(
        weights(given.weights, (given.outputChannels, given.inputChannels // groups, *kernel)),
        weights(given.bias, (given.outputChannels,)) if given.hasBias else None,
    )
    spread = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    edges = _edges(given, x.shape[2:], spread, stride)
    return Blob(
        mb.conv(
            x=x,
            weight=weight,
            bias=bias,
            strides=stride,
            dilations=dilation,
            groups=groups,
            pad_type="custom",
            pad=flat(edges),
        )
    )


@rebuilds("pooling3d")
def pooling_3d(layer: Layer) -> Blob:
    """The largest or the mean of each window of the last three axes of five."""
    given, x = layer.parameters, whole(layer.x)
    kernel, stride = _three(given, "kernel"), _three(given, "stride")
    edges = _edges(given, x.shape[2:], list(kernel), stride)
    window = {"kernel_sizes": kernel, "strides": stride, "pad_type": "custom", "pad": flat(edges)}
    if given.type == given.MAX:
        return Blob(mb.max_pool(x=x, **window))
    return Blob(mb.avg_pool(x=x, **window, exclude_padding_from_average=bool(given.countExcludePadding)))


@rebuilds("globalPooling3d")
def global_pooling_3d(layer: Layer) -> Blob:
    """The largest or the mean of the last three axes."""
    given, x = layer.parameters, whole(layer.x)
    operation = mb.reduce_max if given.type == given.MAX else mb.reduce_mean
    return Blob(operation(x=x, axes=[-3, -2, -1], keep_dims=True))
