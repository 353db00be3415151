"""Recurrent layers, as in networks that read a line of text from a picture: [Seq, Batch, C, 1, 1], time first.

NeuralNetwork.proto cuts what goes into an activation to -50…50, which MIL does not. Where the activation is flat out
there it makes no difference; others are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.network.blobs import Blob, Refused, reshaped, whole
from app.compiler.network.layer import Layer, rebuilds
from app.compiler.network.weights import wide

_CELL_CLIP = 50.0
"""NeuralNetwork.proto: what a cell's limit that is unset or zero stands for."""
_FLAT = {"tanh": "tanh", "sigmoid": "sigmoid", "sigmoidHard": "sigmoid_hard"}
_ANY = _FLAT | {"ReLU": "relu"}
"""MIL's words for `ActivationParams`."""
_GATES = ("input", "forget", "output", "block")
"""In the order in which MIL wants them one below the other."""


@rebuilds("simpleRecurrent")
def simple_recurrent(layer: Layer) -> list[Blob]:
    """h = f(W x + R h + b): all states or the last one, and the last one."""
    given, x = layer.parameters, _sequence(layer.x)
    size = int(given.outputVectorSize)
    y, h = mb.rnn(
        x=x,
        initial_h=_state(layer, 1, x, size),
        weight_ih=wide(given.weightMatrix, (size, given.inputVectorSize)),
        weight_hh=wide(given.recursionMatrix, (size, size)),
        bias=wide(given.biasVector, (size,)) if given.hasBiasVector else np.zeros(size, np.float32),
        activation=_activation(given.activation, _FLAT),
        **_order(given),
    )
    return _results(layer, y, h)


@rebuilds("gru")
def gated(layer: Layer) -> list[Blob]:
    """A gated recurrent unit whose reset gate works before the product."""
    given, x = layer.parameters, _sequence(layer.x)
    size = int(given.outputVectorSize)
    gates = ("resetGate", "outputGate", "updateGate")
    activations = _activations(given.activations, (_FLAT, _FLAT))
    y, h = mb.gru(
        x=x,
        initial_h=_state(layer, 1, x, size),
        weight_ih=_stacked(given, gates, "WeightMatrix", (size, given.inputVectorSize)),
        weight_hh=_stacked(given, gates, "RecursionMatrix", (size, size)),
        bias=_stacked(given, gates, "BiasVector", (size,)) if given.hasBiasVectors else np.zeros(3 * size, np.float32),
        recurrent_activation=activations[0],
        activation=activations[1],
        **_order(given),
    )
    return _results(layer, y, h)


@rebuilds("uniDirectionalLSTM")
def long_short_term(layer: Layer) -> list[Blob]:
    """A long short-term memory in one direction: states, last state, last cell."""
    given, x = layer.parameters, _sequence(layer.x)
    size = int(given.outputVectorSize)
    y, h, c = mb.lstm(
        x=x,
        initial_h=_state(layer, 1, x, size),
        initial_c=_state(layer, 2, x, size),
        **_lstm_weights(given, given.weightParams, ""),
        **_lstm_options(given, given.activations),
        direction="reverse" if given.reverseInput else "forward",
    )
    return _results(layer, y, h, c)


@rebuilds("biDirectionalLSTM")
def long_short_term_both_ways(layer: Layer) -> list[Blob]:
    """Two long short-term memories, the second from the end: states side by side, then last state and cell of each."""
    given, x = layer.parameters, _sequence(layer.x)
    size = int(given.outputVectorSize)
    if len(given.weightParams) != 2:
        raise ValueError(f"{len(given.weightParams)} sets of weights, needs 2")
    if _activations(given.activationsBackwardLSTM, (_ANY,) * 3) != _activations(
        given.activationsForwardLSTM, (_ANY,) * 3
    ):
        raise Refused("activationsBackwardLSTM")
    y, h, c = mb.lstm(
        x=x,
        initial_h=mb.concat(values=[_state(layer, 1, x, size), _state(layer, 3, x, size)], axis=1),
        initial_c=mb.concat(values=[_state(layer, 2, x, size), _state(layer, 4, x, size)], axis=1),
        **_lstm_weights(given, given.weightParams[0], ""),
        **_lstm_weights(given, given.weightParams[1], "_back"),
        **_lstm_options(given, given.activationsForwardLSTM),
        direction="bidirectional",
    )
    forward, back = ([mb.split(x=state, num_splits=2, axis=1)[way] for state in (h, c)] for way in (0, 1))
    return _results(layer, y, *forward, *back)


def _lstm_weights(given: Any, stored: Any, ending: str) -> dict[str, np.ndarray]:
    inputs, size = int(given.inputVectorSize), int(given.outputVectorSize)
    options = given.params
    if options.coupledInputAndForgetGate:
        raise Refused("coupledInputAndForgetGate")
    gates = [f"{gate}{'Input' if gate == 'block' else 'Gate'}" for gate in _GATES]
    bias = np.zeros(4 * size, np.float32)
    if options.hasBiasVectors:
        bias = _stacked(stored, gates, "BiasVector", (size,))
    if options.forgetBias:
        bias = bias + np.repeat(np.array([0, 1, 0, 0], np.float32), size)
    weights = {
        f"weight_ih{ending}": _stacked(stored, gates, "WeightMatrix", (size, inputs)),
        f"weight_hh{ending}": _stacked(stored, gates, "RecursionMatrix", (size, size)),
        f"bias{ending}": bias,
    }
    if options.hasPeepholeVectors:
        weights[f"peephole{ending}"] = _stacked(stored, gates[:3], "PeepholeVector", (size,))
    return weights


def _lstm_options(given: Any, activations: Any) -> dict[str, Any]:
    gate, cell, output = _activations(activations, (_FLAT, _FLAT, _ANY))
    return {
        "recurrent_activation": gate,
        "cell_activation": cell,
        "activation": output,
        "clip": np.float32(given.params.cellClipThreshold or _CELL_CLIP),
        "output_sequence": bool(given.params.sequenceOutput),
    }


def _stacked(stored: Any, gates: Sequence[str], what: str, shape: Sequence[int]) -> np.ndarray:
    return np.concatenate([wide(getattr(stored, f"{gate}{what}"), shape) for gate in gates])


def _order(given: Any) -> dict[str, Any]:
    return {
        "direction": "reverse" if given.reverseInput else "forward",
        "output_sequence": bool(given.sequenceOutput),
    }


def _activations(given: Any, allowed: Sequence[dict[str, str]]) -> list[str]:
    if len(given) != len(allowed):
        raise ValueError(f"{len(given)} activations, needs {len(allowed)}")
    return [_activation(one, words) for one, words in zip(given, allowed, strict=True)]


def _activation(given: Any, words: dict[str, str]) -> str:
    """MIL's word. Raises Refused for one that MIL has not, or not with these numbers."""
    kind, hard = given.WhichOneof("NonlinearityType"), given.sigmoidHard
    # The format allows no other numbers, and coremltools writes none.
    other = kind == "sigmoidHard" and (hard.alpha or hard.beta) and not np.allclose((hard.alpha, hard.beta), (0.2, 0.5))
    if kind not in words or other:
        raise Refused(f"activation {kind}")
    return words[kind]


def _sequence(x: Blob) -> Any:
    """Time, batch, channels. Raises ValueError for a blob of another form."""
    var = whole(x)
    if var.rank != 5 or tuple(var.shape[-2:]) != (1, 1):
        raise ValueError(f"a sequence of {x.shape}, needs five axes, the last two of size one")
    return reshaped(var, var.shape[:3])


def _state(layer: Layer, index: int, x: Any, size: int) -> Any:
    """The initial state that is an input, or zeros: batch, channels."""
    shape = (int(x.shape[1]), size)
    if index >= len(layer.inputs):
        return np.zeros(shape, np.float32)
    return reshaped(layer.input(index).var, shape)


def _results(layer: Layer, *values: Any) -> list[Blob]:
    """As many as the layer names, with five axes again."""
    blobs = []
    for value in values[: layer.outputs]:
        *time, batch, size = (int(n) for n in value.shape)
        if time in ([], [1]):
            blobs.append(Blob(reshaped(value, (batch, size, 1, 1)), lead=1))
        else:
            blobs.append(Blob(reshaped(value, (*time, batch, size, 1, 1))))
    return blobs
