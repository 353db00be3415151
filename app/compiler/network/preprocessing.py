"""What a network does to its image before the first layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob

_RGB, _BGR = 20, 30
"""FeatureTypes.proto, ImageFeatureType.ColorSpace; the others are grey."""


def preprocessed(preprocessing: Any, blobs: Mapping[str, Blob], colours: Mapping[str, int]) -> dict[str, Blob]:
    """`blobs` with each preprocessing applied to the input that it names, in the file's order.

    `colours` has the colour space of every image among them. A preprocessing without a name means the only image.
    Raises ValueError where it names no input.
    """
    done = dict(blobs)
    for one in preprocessing:
        name = str(one.featureName)
        if not name and len(colours) == 1:
            (name,) = colours
        if name not in done:
            raise ValueError(f"preprocessing of {name!r}, which is no input")
        kind = one.WhichOneof("preprocessor")
        if kind == "scaler":
            done[name] = _scaled(done[name], one.scaler, colours.get(name))
        elif kind == "meanImage":
            done[name] = _without_mean(done[name], one.meanImage)
    return done


def _scaled(x: Blob, scaler: Any, colour: int | None) -> Blob:
    """x · channelScale + bias. An unset scale reads as 0, which no file can mean."""
    if colour is None:
        raise ValueError("an image scaler for an input that is no image")
    biases = {_RGB: (scaler.redBias, scaler.greenBias, scaler.blueBias),
              _BGR: (scaler.blueBias, scaler.greenBias, scaler.redBias)}.get(colour, (scaler.grayBias,))  # fmt: skip
    var = x.var
    if scaler.channelScale not in (0, 1):
        var = mb.mul(x=var, y=np.float32(scaler.channelScale))
    if any(biases):
        var = mb.add(x=var, y=np.array(biases, np.float32).reshape(1, -1, 1, 1))
    return x.then(var)


def _without_mean(x: Blob, mean: Any) -> Blob:
    """x minus the mean image, which is stored as C×H×W."""
    return x.then(mb.sub(x=x.var, y=np.array(mean.meanImage, np.float32).reshape(x.var.shape)))
