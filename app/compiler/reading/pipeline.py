"""Pipelines: which stages are networks and can run. `linking.py` makes one program of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NETWORKS = ("mlProgram", "neuralNetwork", "neuralNetworkClassifier", "neuralNetworkRegressor")
PIPELINES = ("pipeline", "pipelineClassifier", "pipelineRegressor")


@dataclass(frozen=True)
class Stage:
    """One network: the whole model, or a stage of a pipeline. `specification` is its `Model` message."""

    name: str
    specification: Any


def interface(specification: Any, function: str | None) -> Any:
    """The part of the description that tells inputs and outputs: of a multi-function package the function's own."""
    description = specification.description
    wanted = function or description.defaultFunctionName
    return next((f for f in description.functions if f.name == wanted), description)


def running_stages(specification: Any) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """The networks that run, in order, and what does not, "names (nonMaximumSuppression)".

    A network runs when all that it needs comes from the pipeline's inputs or from networks that run.
    """
    if specification.WhichOneof("Type") not in PIPELINES:
        return (Stage("", specification),), ()
    known = {feature.name for feature in specification.description.input}
    running, left_out = [], []
    for name, stage in _flat(specification):
        kind = stage.WhichOneof("Type")
        described = interface(stage, None)
        needs = {feature.name for feature in described.input if not feature.type.isOptional}
        if kind in NETWORKS and needs <= known:
            running.append(Stage(name, stage))
            known.update(feature.name for feature in described.output)
        else:
            known.difference_update(feature.name for feature in described.output)
            left_out.append(f"{name} ({kind})" if name else str(kind))
    return tuple(running), tuple(left_out)


def _flat(specification: Any) -> list[tuple[str, Any]]:
    """Name and message of each stage; the stages of a pipeline inside the pipeline stand in its place."""
    kind = specification.WhichOneof("Type")
    outer = getattr(specification, kind)
    pipeline = outer if kind == "pipeline" else outer.pipeline
    stages: list[tuple[str, Any]] = []
    for place, stage in enumerate(pipeline.models):
        if stage.WhichOneof("Type") in PIPELINES:
            stages += _flat(stage)
        else:
            stages.append((pipeline.names[place] if place < len(pipeline.names) else "", stage))
    return stages
