"""Recurrent layers against their equations, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx

TIME, BATCH, INPUTS, SIZE = 4, 2, 3, 5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def matrices(noise):
    """matrices(n, *shape): n arrays."""
    return lambda n, *shape, seed=0: [noise(*shape, seed=seed + i) * 0.5 for i in range(n)]


def given(sequence, everything):
    """What a layer gives of its states T×N×H, with five axes."""
    return (sequence if everything else sequence[-1:])[..., None, None]


@pytest.mark.parametrize("everything", [True, False])
def test_simple(check_layers, noise, matrices, everything):
    (recursion,), (weight,), (bias,) = (
        matrices(1, SIZE, SIZE),
        matrices(1, SIZE, INPUTS, seed=1),
        matrices(1, SIZE, seed=2),
    )

    def expected(x, h):
        h, states = h[0, :, :, 0, 0], []
        for step in x[..., 0, 0]:
            h = np.tanh(step @ weight.T + h @ recursion.T + bias)
            states.append(h)
        return given(np.stack(states), everything)

    check_layers(
        lambda b: b.add_simple_rnn("layer", recursion, weight, bias, SIZE, INPUTS, "TANH", ["x0", "x1"], ["y", "h"],
                                   everything),
        expected,
        noise(TIME, BATCH, INPUTS, 1, 1),
        noise(1, BATCH, SIZE, 1, 1, seed=9),
    )  # fmt: skip


GATES = {"SIGMOID": sigmoid, "SIGMOID_HARD": lambda x: np.clip(0.2 * x + 0.5, 0, 1)}


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("gate", GATES)
def test_gated(check_layers, noise, matrices, everything, gate):
    """The builder takes update, reset and output gate."""
    recursions, weights, biases = matrices(3, SIZE, SIZE), matrices(3, SIZE, INPUTS, seed=3), matrices(3, SIZE, seed=6)

    def expected(x, h):
        h, states = h[0, :, :, 0, 0], []
        for step in x[..., 0, 0]:
            inputs = [step @ w.T + b for w, b in zip(weights, biases, strict=True)]
            z, r = (GATES[gate](inputs[i] + h @ recursions[i].T) for i in (0, 1))
            h = (1 - z) * np.tanh(inputs[2] + (r * h) @ recursions[2].T) + z * h
            states.append(h)
        return given(np.stack(states), everything)

    check_layers(
        lambda b: b.add_gru("layer", recursions, weights, biases, SIZE, INPUTS, ["x0", "x1"], ["y", "h"], "TANH", gate,
                            everything),
        expected,
        noise(TIME, BATCH, INPUTS, 1, 1),
        noise(1, BATCH, SIZE, 1, 1, seed=9),
    )  # fmt: skip


def lstm(x, h, c, weights, recursions, biases, peepholes=(0, 0, 0), forget=0.0, clip=50.0):
    """All states, then the last state and cell; gates are input, forget, output, block."""
    states = []
    for step in x:
        i, f, o, z = (step @ w.T + h @ r.T + b for w, r, b in zip(weights, recursions, biases, strict=True))
        c_new = c * sigmoid(f + forget + peepholes[1] * c) + sigmoid(i + peepholes[0] * c) * np.tanh(z)
        c = np.clip(c_new, -clip, clip)
        h = np.tanh(c) * sigmoid(o + peepholes[2] * c)
        states.append(h)
    return np.stack(states), h, c


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("options", ["plain", "peepholes", "forget", "clip"])
def test_long_short_term(network, run_network, noise, matrices, everything, options):
    weights, recursions, biases = matrices(4, SIZE, INPUTS), matrices(4, SIZE, SIZE, seed=4), matrices(4, SIZE, seed=8)
    peepholes = matrices(3, SIZE, seed=12) if options == "peepholes" else None
    clip = 0.2 if options == "clip" else 50.0

    def add(builder):
        builder.add_unilstm("layer", recursions, weights, biases, SIZE, INPUTS, ["x0", "x1", "x2"], ["y", "h", "c"],
                            peep=peepholes, output_all=everything, forget_bias=options == "forget",
                            cell_clip_threshold=clip)  # fmt: skip

    x, h, c = (
        noise(TIME, BATCH, INPUTS, 1, 1),
        noise(1, BATCH, SIZE, 1, 1, seed=9),
        noise(1, BATCH, SIZE, 1, 1, seed=10),
    )
    specification = network(add, x.shape, h.shape, c.shape, outputs=("y", "h", "c"))
    wanted = lstm(x[..., 0, 0], h[0, :, :, 0, 0], c[0, :, :, 0, 0], weights, recursions, biases, peepholes or (0, 0, 0),
                  float(options == "forget"), clip)  # fmt: skip
    states, last, cell = run_network(specification, x, h, c)
    np.testing.assert_allclose(states, given(wanted[0], everything), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, wanted[1][None, ..., None, None], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cell, wanted[2][None, ..., None, None], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("everything", [True, False])
def test_both_ways(network, run_network, noise, matrices, everything):
    there = [matrices(4, SIZE, INPUTS), matrices(4, SIZE, SIZE, seed=4), matrices(4, SIZE, seed=8)]
    back = [matrices(4, SIZE, INPUTS, seed=20), matrices(4, SIZE, SIZE, seed=24), matrices(4, SIZE, seed=28)]
    names = [f"x{i}" for i in range(5)]
    outputs = ("y", "h", "c", "h_back", "c_back")

    def add(builder):
        builder.add_bidirlstm("layer", there[1], there[0], there[2], back[1], back[0], back[2], SIZE, INPUTS, names,
                              list(outputs), output_all=everything)  # fmt: skip

    x = noise(TIME, BATCH, INPUTS, 1, 1)
    states = [noise(1, BATCH, SIZE, 1, 1, seed=40 + i) for i in range(4)]
    h, c, h_back, c_back = (one[0, :, :, 0, 0] for one in states)
    forward = lstm(x[..., 0, 0], h, c, *there)
    backward = lstm(x[::-1, ..., 0, 0], h_back, c_back, *back)
    both = np.concatenate([forward[0], backward[0][::-1]], -1)
    last = np.concatenate([forward[1], backward[1]], -1)[None]
    specification = network(add, x.shape, *(one.shape for one in states), outputs=outputs)
    results = run_network(specification, x, *states)
    wanted = [both if everything else last, *(one[None] for one in (*forward[1:], *backward[1:]))]
    for result, one in zip(results, wanted, strict=True):
        np.testing.assert_allclose(result, one[..., None, None], rtol=1e-4, atol=1e-5)


def test_a_line_of_text_is_read_from_left_to_right(check_layers, noise, matrices):
    """Columns become the sequence; the state begins at zero."""
    weights, recursions, biases = matrices(4, SIZE, 6), matrices(4, SIZE, SIZE, seed=4), matrices(4, SIZE, seed=8)
    head = noise(3, SIZE, seed=50)

    def add(builder):
        builder.add_flatten("rows", 0, "x0", "rows")
        builder.add_reshape("back", "rows", "back", [6, 1, 7], 0)
        builder.add_permute("columns", [3, 1, 2, 0], "back", "columns")
        builder.add_unilstm("read", recursions, weights, biases, SIZE, 6, ["columns"], ["states"], output_all=True)
        builder.add_inner_product("head", head, None, SIZE, 3, False, "states", "scores")
        builder.add_softmax("softmax", "scores", "y")

    def expected(x):
        columns = x.reshape(6, 7).T[:, None]
        states, _, _ = lstm(columns, np.zeros((1, SIZE)), np.zeros((1, SIZE)), weights, recursions, biases)
        powers = np.exp(states @ head.T)
        return (powers / powers.sum(-1, keepdims=True))[..., None, None]

    check_layers(add, expected, noise(2, 3, 7), rank_5=True, rtol=1e-4)


@pytest.mark.parametrize("activation", ["RELU", "LINEAR", "SCALED_TANH"])
def test_activations_that_need_the_cut_are_refused(network, run_network, noise, matrices, activation):
    (recursion,), (weight,) = matrices(1, SIZE, SIZE), matrices(1, SIZE, INPUTS)
    specification = network(
        lambda b: b.add_simple_rnn("layer", recursion, weight, None, SIZE, INPUTS, activation, ["x0"], ["y"]),
        (1, 1, INPUTS, 1, 1),
    )
    with pytest.raises(UnsupportedOps, match="layer \\(simpleRecurrent, activation"):
        run_network(specification, noise(1, 1, INPUTS, 1, 1))


def test_coupled_gates_are_refused(network, run_network, noise, matrices):
    recursions, weights = matrices(4, SIZE, SIZE), matrices(4, SIZE, INPUTS)

    def add(builder):
        builder.add_unilstm(
            "layer", recursions, weights, None, SIZE, INPUTS, ["x0"], ["y"], coupled_input_forget_gate=True
        )

    with pytest.raises(UnsupportedOps, match="coupledInputAndForgetGate"):
        run_network(network(add, (1, 1, INPUTS, 1, 1)), noise(1, 1, INPUTS, 1, 1))
