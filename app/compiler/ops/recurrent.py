"""MIL family `recurrent`: x is T, N, I (time first), states are N, H; written out step by step.

What the documentation leaves open is taken from the references in coremltools, mil/ops/tests/iOS14/test_recurrent.py:
the reset gate of a GRU works before the product, an LSTM clips its cell, and a reversed GRU gives its states in the
order in which it made them.
"""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx

from app.compiler.ops.registry import NotCovered, lowers

_ACTIVATIONS: dict[str, Callable[[mx.array], mx.array]] = {
    "tanh": mx.tanh,
    # With both factors 1, as there is no input for them.
    "scaled_tanh": mx.tanh,
    "sigmoid": mx.sigmoid,
    "hard_sigmoid": lambda x: mx.minimum(mx.maximum(0.2 * x + 0.5, 0), 1),
    "sigmoid_hard": lambda x: mx.minimum(mx.maximum(0.2 * x + 0.5, 0), 1),
    "relu": lambda x: mx.maximum(x, 0),
    "linear": lambda x: x,
}


@lowers("rnn")
def rnn(
    x: mx.array,
    *,
    initial_h: mx.array,
    weight_ih: mx.array,
    weight_hh: mx.array,
    bias: mx.array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[mx.array, mx.array]:
    """h = activation(W x + R h + bias): the states T, N, H, or the last one 1, N, H; and the last one N, H."""
    _refuse_order("rnn", direction, output_sequence)
    act = _activation("rnn", activation)
    h, states = initial_h, []
    for step in _steps(x, weight_ih, bias, direction == "reverse"):
        h = act(step + h @ weight_hh.T)
        states.append(h)
    return _given(states, output_sequence), h


@lowers("gru")
def gru(
    x: mx.array,
    *,
    initial_h: mx.array,
    weight_ih: mx.array,
    weight_hh: mx.array,
    bias: mx.array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: mx.array | None = None,
) -> tuple[mx.array, mx.array]:
    """h = (1 - z) o + z h with gates r, o, z one below the other in the weights; results as those of `rnn`."""
    if reset_after:
        # coremltools' own comparison of this with PyTorch is marked as failing.
        raise NotCovered("gru (reset_after=True)")
    gate, act = _activation("gru", recurrent_activation), _activation("gru", activation)
    if input_bias is not None:
        bias = input_bias if bias is None else bias + input_bias
    hidden_r, hidden_o, hidden_z = mx.split(weight_hh.T, 3, axis=-1)
    h, states = initial_h, []
    for step in _steps(x, weight_ih, bias, direction == "reverse"):
        input_r, input_o, input_z = mx.split(step, 3, axis=-1)
        r, z = gate(input_r + h @ hidden_r), gate(input_z + h @ hidden_z)
        h = (1 - z) * act(input_o + (r * h) @ hidden_o) + z * h
        states.append(h)
    return _given(states, output_sequence), h


@lowers("lstm")
def lstm(
    x: mx.array,
    *,
    initial_h: mx.array,
    initial_c: mx.array,
    weight_ih: mx.array,
    weight_hh: mx.array,
    bias: mx.array | None = None,
    peephole: mx.array | None = None,
    weight_ih_back: mx.array | None = None,
    weight_hh_back: mx.array | None = None,
    bias_back: mx.array | None = None,
    peephole_back: mx.array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: float | None = None,
) -> tuple[mx.array, mx.array, mx.array]:
    """c = f c + i z and h = o activation(c), gates i, f, o, z one below the other in the weights.

    The states as those of `rnn`, then the last h and c. Both ways at once: forward and backward side by side in the
    last axis, each at the time of the input that it read.
    """
    _refuse_order("lstm", direction, output_sequence)
    acts = tuple(_activation("lstm", name) for name in (recurrent_activation, cell_activation, activation))

    def run(
        h: mx.array, c: mx.array, weights: tuple[mx.array | None, ...], backwards: bool
    ) -> tuple[list[mx.array], mx.array, mx.array]:
        return _lstm_steps(x, h, c, weights, backwards, acts, clip)

    forward_weights = (weight_ih, weight_hh, bias, peephole)
    if direction != "bidirectional":
        states, h, c = run(initial_h, initial_c, forward_weights, direction == "reverse")
        return _given(states, output_sequence), h, c
    (h_forward, h_back), (c_forward, c_back) = mx.split(initial_h, 2, axis=-1), mx.split(initial_c, 2, axis=-1)
    back_weights = (weight_ih_back, weight_hh_back, bias_back, peephole_back)
    there, h_forward, c_forward = run(h_forward, c_forward, forward_weights, False)
    back, h_back, c_back = run(h_back, c_back, back_weights, True)
    h, c = mx.concatenate([h_forward, h_back], axis=-1), mx.concatenate([c_forward, c_back], axis=-1)
    if not output_sequence:
        return h[None], h, c
    both = [mx.concatenate(list(pair), axis=-1) for pair in zip(there, reversed(back), strict=True)]
    return mx.stack(both), h, c


def _lstm_steps(
    x: mx.array,
    h: mx.array,
    c: mx.array,
    weights: tuple[mx.array | None, ...],
    backwards: bool,
    acts: tuple[Callable[[mx.array], mx.array], ...],
    clip: float | None,
) -> tuple[list[mx.array], mx.array, mx.array]:
    """One direction: the states in the order in which they are made, the last h and c."""
    weight_ih, weight_hh, bias, peephole = weights
    assert weight_ih is not None
    assert weight_hh is not None
    gate, cell, act = acts
    p_i, p_f, p_o = (0, 0, 0) if peephole is None else mx.split(peephole, 3)
    states = []
    for step in _steps(x, weight_ih, bias, backwards):
        i, f, o, z = mx.split(step + h @ weight_hh.T, 4, axis=-1)
        c = gate(f + p_f * c) * c + gate(i + p_i * c) * cell(z)
        if clip is not None:
            c = mx.minimum(mx.maximum(c, -clip), clip)
        h = gate(o + p_o * c) * act(c)
        states.append(h)
    return states, h, c


def _steps(x: mx.array, weight: mx.array, bias: mx.array | None, backwards: bool) -> list[mx.array]:
    """W x + bias for each time, N, … each, the last time first when `backwards`."""
    product = x @ weight.T
    if bias is not None:
        product = product + bias
    steps = [product[t] for t in range(x.shape[0])]
    return steps[::-1] if backwards else steps


def _given(states: list[mx.array], output_sequence: bool) -> mx.array:
    return mx.stack(states) if output_sequence else states[-1][None]


def _activation(kind: str, name: str) -> Callable[[mx.array], mx.array]:
    if name not in _ACTIVATIONS:
        raise NotCovered(f"{kind} (activation={name})")
    return _ACTIVATIONS[name]


def _refuse_order(kind: str, direction: str, output_sequence: bool) -> None:
    if direction == "reverse" and output_sequence:
        # Nowhere is said in which order the states come.
        raise NotCovered(f"{kind} (direction=reverse, output_sequence=True)")
