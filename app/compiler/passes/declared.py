"""Inputs and outputs as the description declares them: pictures as bytes, arrays in their declared types."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from app.compiler.facts import Feature, ModelFacts
from app.compiler.program import FLOATS, Argument, Operation, Program, Value
from app.errors import UnsupportedModel
from app.i18n import N_

_ON_DEVICE = {"fp64": "fp32"}
"""No GPU that MLX knows computes in double precision; `CompiledModel` converts such arrays on the way in and out."""


def take_inputs(program: Program, facts: ModelFacts) -> Program:
    """Before: inputs as MIL computes with them. After: as the description declares them, in its order.

    An image x (float, 1×C×H×W) becomes image(pixels) with pixels uint8, 1×H×W×C in RGB order or grey (float16 for
    GRAYSCALE_FLOAT16); an array x becomes cast(x given). Raises UnsupportedModel where program and description disagree
    and for inputs that are neither images nor arrays.
    """
    found = {value.name: value for value in program.inputs}
    inputs, operations = [], []
    for feature in facts.inputs:
        x = found.pop(feature.name, None)
        if not feature.is_array:
            if x is not None or not feature.optional:
                raise _refusal(facts, N_("its input {name} is of the kind {kind}, which MLX cannot take"), feature)
            continue
        make = _pixels if feature.kind == "image" else _array
        given = make(feature, x)
        if given is None:
            raise _refusal(facts, N_("its program does not take the {kind} {name} that its description says"), feature)
        inputs.append(given[0])
        operations += given[1]
    if found:
        names = {"names": tuple(found)}
        cause = N_("its program takes {names}, which its description does not know")
        raise UnsupportedModel(model=facts.name, cause=cause, details=names)
    return replace(program, inputs=tuple(inputs), operations=(*operations, *program.operations))


def give_outputs(program: Program, facts: ModelFacts) -> Program:
    """Before: outputs as MIL computes them. After: as the description declares them.

    An image becomes uint8, 1×H×W×C in RGB order or grey, its values cut to 0…255 and rounded (float16 without either
    for GRAYSCALE_FLOAT16); an array gets its declared type; class probabilities become 1×classes. Raises
    UnsupportedModel where they disagree.
    """
    declared = {feature.name: feature for feature in facts.output_features}
    operations, outputs = [*program.operations], []
    for name, value in program.outputs:
        feature = declared.pop(name, None)
        steps: list[Operation] = []
        if name == facts.probabilities and facts.labels:
            steps = _scores(facts, value)
        elif feature is not None and feature.kind == "image":
            steps = _picture(feature, value)
            if not steps:
                raise _refusal(
                    facts, N_("its program does not give the {kind} {name} that its description says"), feature
                )
        elif feature is not None and feature.is_array:
            dtype = _ON_DEVICE.get(feature.dtype, feature.dtype)
            steps = [] if value.dtype == dtype else [_cast(value, replace(value, name=f"{name} typed", dtype=dtype))]
        operations += steps
        outputs.append((name, steps[-1].output if steps else value))
    missing = [feature for name, feature in declared.items() if name != facts.label]
    if missing:
        raise _refusal(facts, N_("its program does not give the {kind} {name} that its description says"), missing[0])
    return replace(program, operations=tuple(operations), outputs=tuple(outputs))


def _pixels(feature: Feature, x: Value | None) -> tuple[Value, list[Operation]] | None:
    _, height, width, channels = feature.shape
    pixels = Value(f"{feature.name} pixels", feature.shape, feature.dtype)
    if x is None:
        return pixels, []
    if x.shape != (1, channels, height, width) or x.dtype not in FLOATS:
        return None
    inputs: dict[str, Argument] = {"x": pixels, "colour": str(feature.colour), "dtype": x.dtype}
    return pixels, [Operation("image", inputs, (x,))]


def _array(feature: Feature, x: Value | None) -> tuple[Value, list[Operation]] | None:
    # A description may leave the shape to the program.
    shape = feature.shape or (x.shape if x else ())
    given = Value(f"{feature.name} given", shape, _ON_DEVICE.get(feature.dtype, feature.dtype))
    if x is None:
        return given, []
    return (given, [_cast(given, x)]) if x.shape == shape else None


def _scores(facts: ModelFacts, value: Value) -> list[Operation]:
    """The operation that puts the probabilities of each image in a row, if they are in another form."""
    classes, size = len(facts.labels), prod(value.shape)
    if size == 0 or size % classes:
        cause = N_("it has {labels} labels for {classes} classes")
        raise UnsupportedModel(model=facts.name, cause=cause, details={"labels": classes, "classes": size})
    shape = (size // classes, classes)
    if value.shape == shape:
        return []
    row = replace(value, name=f"{value.name} in a row", shape=shape)
    return [Operation("reshape", {"x": value, "shape": np.array(shape)}, (row,))]


def _picture(feature: Feature, value: Value) -> list[Operation]:
    """The operations from a tensor of 1×C×H×W, or without some of the leading ones, to the declared picture."""
    channels = feature.shape[-1]
    # Its size is that of the program: the description may leave it open, or mean that of another input size.
    *_, height, width = (0, 0, *value.shape)
    if len(value.shape) < 2 or value.dtype not in FLOATS or prod(value.shape) != channels * height * width:
        return []
    steps: list[Operation] = []

    def then(kind: str, inputs: dict[str, Argument], **changed: Any) -> None:
        x = steps[-1].output if steps else value
        made = replace(x, name=f"{feature.name} picture {len(steps)}", **changed)
        steps.append(Operation(kind, {"x": x, **inputs}, (made,)))

    shape = (1, channels, height, width)
    if value.shape != shape:
        then("reshape", {"shape": np.array(shape)}, shape=shape)
    if feature.colour == "BGR":
        then("reverse", {"axes": np.array([1])})
    if feature.dtype == "uint8":
        then("clip", {"alpha": 0.0, "beta": 255.0})
        then("round", {})
    then("cast", {"dtype": feature.dtype}, dtype=feature.dtype)
    then("transpose", {"perm": np.array([0, 2, 3, 1])}, shape=(1, height, width, channels))
    return steps


def _cast(x: Value, to: Value) -> Operation:
    return Operation("cast", {"x": x, "dtype": to.dtype}, (to,))


def _refusal(facts: ModelFacts, cause: str, feature: Feature) -> UnsupportedModel:
    return UnsupportedModel(model=facts.name, cause=cause, details={"name": feature.name, "kind": feature.kind})
