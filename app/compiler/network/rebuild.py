"""A whole network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import coremltools as ct
from coremltools.converters.mil.mil import Function

from app.compiler.network import layers  # noqa: F401  fills the table
from app.compiler.network.blobs import Blob, Refused
from app.compiler.network.interface import finish, input_blobs, placeholders
from app.compiler.network.layer import TABLE, Layer
from app.compiler.network.preprocessing import preprocessed
from app.errors import AppError, ModelUnreadable, UnsupportedOps
from app.i18n import N_


def rebuild(specification: Any, package_name: str) -> Any:
    """See `app.compiler.network.mil_function`."""
    network = getattr(specification, specification.WhichOneof("Type"))
    unknown = [f"{layer.name} ({kind})" for layer, kind in _kinds(network) if kind not in TABLE]
    if unknown:
        raise UnsupportedOps(model=package_name, ops=tuple(unknown))
    try:
        description = specification.description
        with Function(placeholders(description, package_name), opset_version=ct.target.iOS17) as function:
            blobs, colours = input_blobs(description, network, function.inputs)
            blobs = preprocessed(network.preprocessing, blobs, colours)
            for layer in network.layers:
                _add(layer, blobs, package_name)
            function.set_outputs(finish(specification, network, blobs, function))
    except AppError:
        raise
    except Exception as error:
        raise _contradiction(package_name, error) from error
    return function


def _kinds(network: Any) -> Iterator[tuple[Any, str]]:
    for layer in network.layers:
        yield layer, layer.WhichOneof("layer") or "unknown"


def _add(layer: Any, blobs: MutableMapping[str, Blob], package_name: str) -> None:
    """The operations of one layer; what it gives is added to `blobs`."""
    kind = layer.WhichOneof("layer")
    missing = [name for name in layer.input if name not in blobs]
    if missing:
        raise ModelUnreadable(
            model=package_name,
            cause=N_("its layer “{layer}” reads “{blob}”, which no layer before it gives"),
            details={"layer": layer.name, "blob": missing[0]},
        )
    inputs = tuple(blobs[name] for name in layer.input)
    try:
        given = TABLE[kind](Layer(layer.name, kind, getattr(layer, kind), inputs, len(layer.output)))
        results = [given] if isinstance(given, Blob) else list(given)
        blobs.update(zip(layer.output, results, strict=True))
    except Refused as error:
        raise UnsupportedOps(model=package_name, ops=(f"{layer.name} ({kind}, {error})",)) from error
    except Exception as error:
        # coremltools' builder raises whatever comes where shapes or types do not fit together.
        raise _contradiction(package_name, error, f"{layer.name} ({kind})") from error


def _contradiction(package_name: str, error: Exception, layer: str | None = None) -> ModelUnreadable:
    lines = str(error).strip().splitlines()
    problem = lines[0][:200] if lines else type(error).__name__
    if layer is None:
        return ModelUnreadable(model=package_name, cause=problem)
    return ModelUnreadable(
        model=package_name,
        cause=N_("its layer “{layer}” contradicts itself or what it reads: {problem}"),
        details={"layer": layer, "problem": problem},
    )
