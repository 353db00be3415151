"""A whole network, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import coremltools as ct
import numpy as np
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import Function

from app.compiler.network import layers  # noqa: F401  fills the table
from app.compiler.network.blobs import Blob, Refused, known, reshaped, whole
from app.compiler.network.interface import finish, input_blobs, placeholders
from app.compiler.network.layer import TABLE, Layer
from app.compiler.network.preprocessing import preprocessed
from app.errors import AppError, ModelUnreadable, UnsupportedOps
from app.i18n import N_

_STEPS = 20_000
"""How many layers, those of loops as often as they run, may be written out; five seconds of work."""
_ZERO = 1e-6
"""NeuralNetwork.proto: a condition of no larger size is false."""


def rebuild(specification: Any, package_name: str) -> Any:
    """See `app.compiler.network.mil_function`."""
    network = getattr(specification, specification.WhichOneof("Type"))
    unknown = [f"{layer.name} ({_called(layer, kind)})" for layer, kind in _kinds(network) if kind not in KINDS]
    if unknown:
        raise UnsupportedOps(model=package_name, ops=tuple(unknown))
    try:
        description = specification.description
        with Function(placeholders(description, package_name), opset_version=ct.target.iOS17) as function:
            blobs, colours = input_blobs(description, network, function.inputs)
            walk = _Walk(package_name, preprocessed(network.preprocessing, blobs, colours))
            walk.add(network.layers)
            function.set_outputs(finish(specification, network, walk.blobs, function))
    except AppError:
        raise
    except Exception as error:
        raise _contradiction(package_name, error) from error
    return function


def _called(layer: Any, kind: str) -> str:
    """The kind; of a custom layer also the class of the app that it came from, which alone says what it computes."""
    return f"custom {layer.custom.className}" if kind == "custom" else kind


def _kinds(network: Any) -> Iterator[tuple[Any, str]]:
    """All layers with their kinds, those of networks inside of layers included."""
    for layer in network.layers:
        yield layer, layer.WhichOneof("layer") or "unknown"
        for inner in (
            layer.branch.ifBranch,
            layer.branch.elseBranch,
            layer.loop.conditionNetwork,
            layer.loop.bodyNetwork,
        ):
            yield from _kinds(inner)


class _Walk:
    """The layers in order; `blobs` holds what those so far have given."""

    def __init__(self, package_name: str, blobs: dict[str, Blob]) -> None:
        self.blobs = blobs
        self._package_name = package_name
        self._left = _STEPS

    def add(self, some: Any) -> None:
        """The operations of these layers. Raises UnsupportedOps, ModelUnreadable."""
        for layer in some:
            kind = layer.WhichOneof("layer")
            missing = [name for name in layer.input if name not in self.blobs]
            if missing:
                raise ModelUnreadable(
                    model=self._package_name,
                    cause=N_("its layer “{layer}” reads “{blob}”, which no layer before it gives"),
                    details={"layer": layer.name, "blob": missing[0]},
                )
            try:
                _CONTROL.get(kind, _Walk._plain)(self, layer)
            except AppError:
                raise
            except Refused as error:
                raise UnsupportedOps(model=self._package_name, ops=(f"{layer.name} ({kind}, {error})",)) from error
            except Exception as error:
                # coremltools' builder raises whatever comes where shapes or types do not fit together.
                raise _contradiction(self._package_name, error, f"{layer.name} ({kind})") from error

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Refused(f"loops of more than {_STEPS} layers")

    def _plain(self, layer: Any) -> None:
        self._step()
        kind = layer.WhichOneof("layer")
        inputs = tuple(self.blobs[name] for name in layer.input)
        given = TABLE[kind](Layer(layer.name, kind, getattr(layer, kind), inputs, len(layer.output)))
        results = [given] if isinstance(given, Blob) else list(given)
        self.blobs.update(zip(layer.output, results, strict=True))

    def _branch(self, layer: Any) -> None:
        """One of two networks when the condition is known, else both, and the results of one chosen.

        What only one of them gives is not known after it.
        """
        condition, branches = self.blobs[layer.input[0]], (layer.branch.ifBranch, layer.branch.elseBranch)
        if condition.values is not None:
            self.add(branches[0 if _holds(condition.values) else 1].layers)
            return
        before, after = self.blobs, []
        for branch in branches:
            self.blobs = dict(before)
            self.add(branch.layers)
            after.append(self.blobs)
        self.blobs = before
        size = mb.abs(x=reshaped(condition.var, (1,)))
        holds = mb.greater(x=size, y=np.float32(_ZERO))
        for name in (name for name in after[0] if name in after[1]):
            a, b = after[0][name], after[1][name]
            if a is b:
                continue
            if a.shape != b.shape:
                raise Refused("branches of different shapes")
            self.blobs[name] = Blob(mb.select(cond=holds, a=whole(a), b=whole(b)))

    def _loop(self, layer: Any) -> None:
        """The body written out as often as it runs. Raises Refused where only the input decides that."""
        given = layer.loop
        limit = int(given.maxLoopIterations)
        if layer.input:
            limit = known(self.blobs[layer.input[0]], "a loop count")[0]
        endless = bool(given.conditionVar) and not layer.input and not limit
        turn = 0
        while endless or turn < limit:
            if given.conditionVar:
                self.add(given.conditionNetwork.layers)
                condition = self.blobs[given.conditionVar]
                if condition.values is None:
                    raise Refused("a condition computed at run time")
                if not _holds(condition.values):
                    return
            self._step()
            self.add(given.bodyNetwork.layers)
            turn += 1


_CONTROL = {"branch": _Walk._branch, "loop": _Walk._loop}
KINDS = frozenset(TABLE) | frozenset(_CONTROL)
"""The kinds of layers that can be rebuilt."""


def _holds(condition: np.ndarray) -> bool:
    return bool(np.abs(condition).reshape(-1)[0] > _ZERO)


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
