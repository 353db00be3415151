"""Pooling over height and width."""

from __future__ import annotations

from typing import Any

from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, spatial
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.layers.convolution import border, flat, pair, same_edges, same_totals


@rebuilds("pooling")
def pooling(layer: Layer) -> Blob:
    """The largest, the mean or the root of the sum of squares of each window of the last two axes."""
    given = layer.parameters
    if given.globalPooling:
        return layer.x.then(_over_all(layer.x.var, given))
    x, back = spatial(layer.x)
    kernel, stride = pair(given.kernelSize, 3), pair(given.stride, 1)
    kind = given.WhichOneof("PoolingPaddingType")
    ceil = kind == "includeLastPixel"
    if ceil:
        edges = _last_pixel_edges(x.shape[-2:], kernel, stride, given.includeLastPixel.paddingAmounts)
    elif kind == "same":
        edges = same_edges(same_totals(x.shape[-2:], kernel, stride), given.same)
    else:
        edges = border(given.valid.paddingAmounts)
    window = {"kernel_sizes": kernel, "strides": stride, "pad_type": "custom", "pad": flat(edges), "ceil_mode": ceil}
    if given.type == given.MAX:
        return back(mb.max_pool(x=x, **window))
    if given.type == given.L2:
        return back(mb.l2_pool(x=x, **window))
    return back(mb.avg_pool(x=x, **window, exclude_padding_from_average=bool(given.avgPoolExcludePadding)))


def _over_all(x: Any, given: Any) -> Any:
    operation = {given.MAX: mb.reduce_max, given.AVERAGE: mb.reduce_mean, given.L2: mb.reduce_l2_norm}[given.type]
    return operation(x=x, axes=[-2, -1], keep_dims=True)


def _last_pixel_edges(
    sizes: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int], amounts: Any
) -> list[tuple[int, int]]:
    """The symmetric padding of `includeLastPixel`, whose number of windows is that of MIL's `ceil_mode`.

    Raises Refused where, on an axis without padding, the last window would hold no pixel at all.
    """
    if len(amounts) not in (0, 2):
        raise ValueError(f"{len(amounts)} padding amounts where height and width are needed")
    padding = [int(amount) for amount in amounts] or [0, 0]
    for n, k, s, p in zip(sizes, kernel, stride, padding, strict=True):
        windows = -(-(n + 2 * p - k) // s) + 1
        if not p and (windows - 1) * s >= n:
            raise Refused("includeLastPixel with a stride beyond the kernel")
    return [(p, p) for p in padding]
