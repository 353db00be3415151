"""The programs of a pipeline's stages as one."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from app.compiler.facts import Feature, ModelFacts
from app.compiler.program import Argument, Operation, Program, Value
from app.errors import UnsupportedModel
from app.i18n import N_


class Chain:
    """A program that grows by a stage at a time. Features of the same name are the same thing, as in the pipeline."""

    def __init__(self, facts: ModelFacts) -> None:
        self._facts = facts
        self._inputs: dict[str, Value] = {}
        self._known: dict[str, tuple[Feature, Value]] = {}
        """What stages have given so far."""
        self._operations: list[Operation] = []
        self._length = 0

    def given(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what stages have given so far."""
        return {name: value.shape for name, (_, value) in self._known.items()}

    def add(self, program: Program, own: ModelFacts) -> None:
        """Append a stage whose inputs and outputs are those of its facts `own`. Raises UnsupportedModel."""
        self._length += 1
        program = _renamed(program, f"{self._length}/")
        features = [feature for feature in own.inputs if feature.is_array]
        read: dict[str, Argument] = {}
        for feature, value in zip(features, program.inputs, strict=True):
            read[value.name] = self._source(feature, value)
        self._operations += [operation.reading(read) for operation in program.operations]
        declared = {feature.name: feature for feature in own.output_features}
        for name, value in program.outputs:
            found = read.get(value.name, value)
            assert isinstance(found, Value)
            self._known[name] = declared.get(name, Feature(name, "multiArray")), found

    def program(self) -> Program:
        """All stages, with the inputs and outputs of the pipeline's facts."""
        inputs = [self._inputs[feature.name] for feature in self._facts.inputs if feature.name in self._inputs]
        outputs = [(name, self._known[name][1]) for name in self._facts.outputs if name in self._known]
        return Program(tuple(inputs), tuple(self._operations), tuple(outputs))

    def _source(self, feature: Feature, value: Value) -> Value:
        """What the stage reads as `feature`: an input of the pipeline, or what an earlier stage gave."""
        if feature.name in self._known:
            made, found = self._known[feature.name]
        else:
            made, found = feature, self._inputs.setdefault(feature.name, value)
        # A picture is bytes between stages, too: the one that gives it rounds, and the one that reads it sees that.
        pictures = {made.kind == "image", feature.kind == "image"}
        if (found.shape, found.dtype) == (value.shape, value.dtype) and len(pictures) == 1:
            return found
        if pictures == {True, False} or prod(found.shape) != prod(value.shape):
            raise UnsupportedModel(
                model=self._facts.name,
                cause=N_("its stages give and take {name} in different forms"),
                details={"name": feature.name},
            )
        flat = replace(value, name=f"{value.name} reshaped", dtype=found.dtype)
        self._operations += [
            Operation("reshape", {"x": found, "shape": np.array(value.shape)}, (flat,)),
            Operation("cast", {"x": flat, "dtype": value.dtype}, (value,)),
        ]
        return value


def _renamed(program: Program, prefix: str) -> Program:
    """The program with `prefix` before the name of every value."""

    def renamed(value: Value) -> Value:
        return replace(value, name=prefix + value.name)

    def argument(one: Argument) -> Argument:
        if isinstance(one, tuple):
            return tuple(renamed(v) if isinstance(v, Value) else v for v in one)
        return renamed(one) if isinstance(one, Value) else one

    operations = [
        Operation(o.kind, {n: argument(a) for n, a in o.inputs.items()}, tuple(map(renamed, o.outputs)))
        for o in program.operations
    ]
    outputs = tuple((name, renamed(value)) for name, value in program.outputs)
    return replace(program, inputs=tuple(map(renamed, program.inputs)), operations=tuple(operations), outputs=outputs)
