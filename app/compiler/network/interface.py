"""Inputs and outputs of a network: from the description's shapes to blobs, and back."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

from app.compiler.network.blobs import Blob, fits, reshaped, spatial, whole
from app.errors import UnsupportedModel
from app.i18n import N_

_COLOURED = (20, 30)
"""FeatureTypes.proto, ImageFeatureType.ColorSpace: RGB and BGR; the others have one channel."""
_RANK5 = 0
"""NeuralNetwork.proto: RANK5_ARRAY_MAPPING and RANK5_IMAGE_MAPPING."""


def placeholders(description: Any, package_name: str) -> dict[str, Any]:
    """The function's inputs by name, float32 in their declared shape. Raises UnsupportedModel for other kinds."""
    return {
        feature.name: mb.placeholder(fits(_declared(feature, package_name)), dtype=types.fp32)
        for feature in description.input
    }


def input_blobs(description: Any, network: Any, inputs: Mapping[str, Any]) -> tuple[dict[str, Blob], dict[str, int]]:
    """The inputs as the layers see them, and the colour space of each image."""
    blobs, colours = {}, {}
    for feature in description.input:
        x = inputs[feature.name]
        if feature.type.WhichOneof("Type") == "imageType":
            colours[feature.name] = int(feature.type.imageType.colorSpace)
            blobs[feature.name] = Blob(x, lead=1 if network.imageInputShapeMapping == _RANK5 else 0)
        elif network.arrayInputShapeMapping == _RANK5:
            blobs[feature.name] = _rank_5(x)
        else:
            blobs[feature.name] = Blob(x)
    return blobs, colours


def finish(specification: Any, network: Any, blobs: Mapping[str, Blob], function: Any) -> list[Any]:
    """The function's outputs, named as the description names them. Raises ValueError for a blob that nothing gives."""
    rank_5 = network.arrayInputShapeMapping == _RANK5
    classifier = specification.WhichOneof("Type") == "neuralNetworkClassifier"
    outputs: dict[str, Any] = {}
    for feature in specification.description.output:
        kind = feature.type.WhichOneof("Type")
        if classifier and kind == "dictionaryType":
            outputs[feature.name] = _probabilities(network, blobs, feature.name)
        elif classifier and kind not in ("multiArrayType", "imageType"):
            continue  # The label, which is looked up outside.
        elif feature.name in blobs:
            outputs[feature.name] = _output(feature, blobs[feature.name], rank_5)
        else:
            raise ValueError(f"no layer gives the output {feature.name}")
    return _named(outputs, function)


def _declared(feature: Any, package_name: str) -> tuple[int, ...]:
    kind = feature.type.WhichOneof("Type")
    if kind == "imageType":
        image = feature.type.imageType
        return (1, 3 if image.colorSpace in _COLOURED else 1, int(image.height), int(image.width))
    if kind == "multiArrayType" and feature.type.multiArrayType.shape:
        return tuple(int(size) for size in feature.type.multiArrayType.shape)
    raise UnsupportedModel(
        model=package_name,
        cause=N_("its input {name} is neither an image nor an array of a known shape"),
        details={"name": feature.name},
    )


def _rank_5(x: Any) -> Blob:
    """[C] as [1, 1, C, 1, 1], [C, H, W] as [1, 1, C, H, W]; five sizes are taken as they are. Raises ValueError."""
    shape = tuple(x.shape)
    if len(shape) == 1:
        return Blob(reshaped(x, (1, *shape, 1, 1)), lead=1)
    if len(shape) == 3:
        return Blob(reshaped(x, (1, *shape)), lead=1)
    if len(shape) != 5:
        raise ValueError(f"an input of {len(shape)} axes where the file's shape rules allow 1 or 3")
    return Blob(reshaped(x, shape[1:]), lead=1) if shape[0] == 1 else Blob(x)


def _output(feature: Any, blob: Blob, rank_5: bool) -> Any:
    """An image as N×C×H×W, an array in the shape that Core ML gives.

    By the older rules a blob has five axes, and Core ML leaves those of size one out that the description leaves out.
    """
    if feature.type.WhichOneof("Type") == "imageType":
        return spatial(blob)[0]
    declared = tuple(int(size) for size in feature.type.multiArrayType.shape)
    if rank_5 and declared and _without_ones(declared) == _without_ones(blob.shape):
        return reshaped(blob.var, declared)
    return whole(blob)


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size != 1]


def _probabilities(network: Any, blobs: Mapping[str, Blob], name: str) -> Any:
    """One row of probabilities, in the order of the labels.

    The blob is the one that the file names; files before that field existed call it like the output, or mean the last.
    """
    wanted = network.labelProbabilityLayerName or (name if name in blobs else network.layers[-1].output[0])
    if wanted not in blobs:
        raise ValueError(f"no layer gives the probabilities {wanted}")
    labels = getattr(network, network.WhichOneof("ClassLabels") or "stringClassLabels").vector
    var = blobs[wanted].var
    if prod(var.shape) != len(labels):
        raise ValueError(f"{prod(var.shape)} probabilities for {len(labels)} labels")
    return reshaped(var, (1, len(labels)))


def _named(outputs: Mapping[str, Any], function: Any) -> list[Any]:
    """Each output as a value of its own under its own name, and no other value of that name.

    Names like "relu_1" are made up by coremltools' builder as well as by people.
    """
    for operation in function.operations:
        for var in operation.outputs:
            if var.name in outputs:
                var.name = f"{var.name} inside"
    taken = list(function.inputs.values())
    for name, var in outputs.items():
        own = mb.identity(x=var) if any(var is one for one in taken) else var
        own.name = name
        taken.append(own)
    return taken[len(function.inputs) :]
