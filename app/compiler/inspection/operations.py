"""Which operations stand in the file, counted without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any


def count_operations(specification: Any, function: str | None) -> Counter[str]:
    """MIL op types, or layer types of a NeuralNetwork, with how often each occurs, nested blocks included.

    specification: a `Model` message. function: of an ML Program the function to look at, None for the only one.
    """
    return Counter(kind for kind in _kinds(specification, function) if not _is_constant(kind))


def networks(specification: Any) -> Iterator[Any]:
    """The `Model` messages of a file that are networks: itself, or the stages of a pipeline, in order."""
    kind = specification.WhichOneof("Type")
    if kind in ("pipelineClassifier", "pipelineRegressor"):
        stages = getattr(specification, kind).pipeline.models
    elif kind == "pipeline":
        stages = specification.pipeline.models
    else:
        yield specification
        return
    for stage in stages:
        yield from networks(stage)


def _kinds(specification: Any, function: str | None) -> Iterator[str]:
    for model in networks(specification):
        kind = model.WhichOneof("Type")
        if kind == "mlProgram":
            functions = model.mlProgram.functions
            for name in [function] if function and function in functions else functions:
                for block in functions[name].block_specializations.values():
                    yield from _of_block(block)
        elif kind and kind.startswith("neuralNetwork"):
            yield from (str(layer.WhichOneof("layer")) for layer in getattr(model, kind).layers)
        elif kind:
            # A stage that is no network counts as one operation of its kind.
            yield kind


def _of_block(block: Any) -> Iterator[str]:
    waiting = [block]
    while waiting:
        for operation in waiting.pop().operations:
            yield operation.type
            waiting.extend(operation.blocks)


def _is_constant(kind: str) -> bool:
    """Values, compressed or not, are no operations."""
    return kind == "const" or kind.startswith("constexpr_")
