"""Layers that change height and width by interpolation or by moving pixels between channels and space."""

from __future__ import annotations

from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, as_indices, fits, reshaped, spatial, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.layers.convolution import pair

_SAMPLING = ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS")
"""MIL's words for `SamplingMode.Method`, in the order of its numbers."""
_BOXES = ("CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST", "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST")
"""`BoxCoordinatesMode.Coordinates`, in the order of its numbers."""


@rebuilds("upsample")
def upsample(layer: Layer) -> Blob:
    """The last two axes longer by a factor, whole or fractional: nearest neighbour, or linear by three grids."""
    given = layer.parameters
    x, back = spatial(layer.x)
    factors: list[Any] = [np.float32(factor) for factor in given.fractionalScalingFactor]
    if not factors:
        factors = [np.int32(factor) for factor in pair(given.scalingFactor, 1)]
    if len(factors) != 2 or min(factors) <= 0:
        raise ValueError(f"factors {factors} where height and width are needed")
    sizes = [int(size * factor) for size, factor in zip(x.shape[-2:], factors, strict=True)]
    fits([*x.shape[:2], *sizes], layer.x)
    if given.mode == given.NN:
        return back(mb.upsample_nearest_neighbor(x=x, scale_factor_height=factors[0], scale_factor_width=factors[1]))
    if given.linearUpsampleMode == given.DEFAULT:
        # Its grid is that of resize_bilinear: i * in / out, cut at the last pixel.
        height, width = sizes
        return back(
            mb.resize_bilinear(x=x, target_size_height=height, target_size_width=width, sampling_mode="DEFAULT")
        )
    corners = given.linearUpsampleMode == given.ALIGN_CORNERS_TRUE
    return back(
        mb.upsample_bilinear(x=x, scale_factor_height=factors[0], scale_factor_width=factors[1], align_corners=corners)
    )


@rebuilds("resizeBilinear")
def resize_bilinear(layer: Layer) -> Blob:
    """The last two axes in a given size, by linear interpolation on one of four grids."""
    x, back = spatial(layer.x)
    height, width = pair(layer.parameters.targetSize, 1)
    fits([*x.shape[:2], height, width], layer.x)
    mode = _SAMPLING[layer.parameters.mode.samplingMethod]
    return back(mb.resize_bilinear(x=x, target_size_height=height, target_size_width=width, sampling_mode=mode))


@rebuilds("cropResize")
def crop_resize(layer: Layer) -> Blob:
    """N boxes of an image, each resized: [1, B, C, H, W] and [N, 1, 4 or 5, 1, 1] to [N, 1, C, height, width].

    With five coordinates the first one chooses the image of the batch. With four every box is cut from every image,
    which is covered for one image. Raises Refused for more.
    """
    given = layer.parameters
    x, _ = spatial(layer.x)
    regions = whole(layer.input(1))
    if regions.rank != 5:
        raise ValueError(f"boxes of {regions.rank} axes, needs 5")
    many, coordinates = int(regions.shape[0]), int(regions.shape[2])
    boxes = reshaped(regions, (many, coordinates))
    indices: Any = np.zeros(many, np.int32)
    if coordinates == 5:
        chosen = mb.slice_by_index(x=boxes, begin=[0, 0], end=[many, 1])
        indices = as_indices(reshaped(chosen, (many,)))
        boxes = mb.slice_by_index(x=boxes, begin=[0, 1], end=[many, 5])
    elif x.shape[0] != 1:
        raise Refused("boxes without an image index, of several images")
    height, width = pair(given.targetSize, 1)
    fits([many, int(x.shape[1]), height, width], layer.x)
    patches = mb.crop_resize(
        x=x,
        boxes=boxes,
        box_indices=indices,
        target_height=height,
        target_width=width,
        normalized_coordinates=bool(given.normalizedCoordinates),
        spatial_scale=np.float32(given.spatialScale or 1),
        box_coordinate_mode=_BOXES[given.boxIndicesMode.boxMode],
        sampling_mode=_SAMPLING[given.mode.samplingMethod],
    )
    return Blob(mb.expand_dims(x=patches, axes=[1]))


@rebuilds("reorganizeData")
def reorganize_data(layer: Layer) -> Blob:
    """Blocks of pixels moved into channels, or channels into blocks of pixels in one of two orders."""
    given = layer.parameters
    x, back = spatial(layer.x)
    size = int(given.blockSize)
    if given.mode == given.SPACE_TO_DEPTH:
        return back(mb.space_to_depth(x=x, block_size=size))
    if given.mode == given.DEPTH_TO_SPACE:
        return back(mb.depth_to_space(x=x, block_size=size))
    return back(mb.pixel_shuffle(x=x, upscale_factor=size))
