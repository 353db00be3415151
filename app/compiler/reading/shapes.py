"""Flexible inputs get one shape, in the specification itself, so that everything behind them has one too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.compiler.facts import Feature
from app.compiler.reading.description import function_name
from app.compiler.reading.pipeline import interface

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names and shapes of inputs that do not have their default shape."""


def fix_shapes(
    specification: Any, function: str | None, features: tuple[Feature, ...], chosen: Mapping[str, tuple[int, ...]]
) -> None:
    """Give every input of the network the chosen shape, or its default one where none is chosen that the file allows.

    Changes `specification`.

    `features` are the network's inputs; shapes are as `Feature` has them. What the operations of an ML Program declare
    stays open where it was; coremltools infers it from the inputs.
    """
    shapes = {feature.name: feature.shape for feature in features}
    for feature in features:
        if feature.name in chosen:
            asked = chosen[feature.name]
            fitting = filter(feature.allows, (asked, _of_rank(asked, len(feature.shape))))
            shapes[feature.name] = next(fitting, feature.shape)
    for described in interface(specification, function).input:
        _describe(described.type, shapes[described.name])
    if specification.WhichOneof("Type") != "mlProgram":
        return
    images = {feature.name for feature in features if feature.kind == "image"}
    name = function_name("", specification, function)
    for given in specification.mlProgram.functions[name].inputs:
        shape = shapes.get(given.name)
        if shape and given.type.WhichOneof("type") == "tensorType":
            _declare(given.type.tensorType, _channels_first(shape) if given.name in images else shape)


def _of_rank(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The shape with leading axes of size one put on or left away, as the stages of a pipeline do it."""
    while len(shape) > rank and shape[0] == 1:
        shape = shape[1:]
    return (1,) * (rank - len(shape)) + shape


def _describe(declared: Any, shape: tuple[int, ...]) -> None:
    kind = declared.WhichOneof("Type")
    if kind == "imageType":
        for field in ("enumeratedSizes", "imageSizeRange"):
            declared.imageType.ClearField(field)
        _, declared.imageType.height, declared.imageType.width, _ = shape
    elif kind == "multiArrayType":
        for field in ("enumeratedShapes", "shapeRange"):
            declared.multiArrayType.ClearField(field)
        declared.multiArrayType.shape[:] = shape


def _declare(tensor: Any, shape: tuple[int, ...]) -> None:
    """Fill in the axes that the program leaves open; those that it fixes are compared with the description later."""
    if tensor.rank < 0 or (not tensor.dimensions and tensor.rank != 0):
        del tensor.dimensions[:]
        tensor.rank = len(shape)
        for size in shape:
            tensor.dimensions.add().constant.size = size
    for dimension, size in zip(tensor.dimensions, shape, strict=False):
        if dimension.WhichOneof("dimension") != "constant":
            dimension.constant.size = size


def _channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """N, H, W, C -> N, C, H, W."""
    return (shape[0], shape[3], shape[1], shape[2])
