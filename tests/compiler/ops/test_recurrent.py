"""Recurrent layers against their definition in NumPy, gate by gate."""

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler.ops.registry import NotCovered

pytestmark = pytest.mark.mlx

SIZE = st.integers(1, 4)
ACTS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def values(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def compare(program_of, run_program, body, wanted, *inputs, opset=ct.target.iOS17):
    for one, given_one in zip(wanted, run_program(program_of(body, *inputs, opset=opset), *inputs), strict=True):
        assert given_one.shape == one.shape
        np.testing.assert_allclose(given_one, one, rtol=1e-4, atol=1e-5)


@given(steps=SIZE, n=SIZE, width=SIZE, hidden=SIZE, act=st.sampled_from(["tanh", "relu", "sigmoid", "linear"]))
@pytest.mark.parametrize("sequence", [True, False])
def test_rnn(program_of, run_program, sequence, steps, n, width, hidden, act):
    x, h0 = values(steps, n, width), values(n, hidden, seed=1)
    w, r, b = values(hidden, width, seed=2), values(hidden, hidden, seed=3), values(hidden, seed=4)
    h, states = h0, []
    for t in range(steps):
        h = ACTS[act](x[t] @ w.T + h @ r.T + b)
        states.append(h)
    options = {"weight_ih": w, "weight_hh": r, "bias": b, "activation": act, "output_sequence": sequence}
    wanted = (np.stack(states if sequence else states[-1:]), h)
    compare(program_of, run_program, lambda x, h: mb.rnn(x=x, initial_h=h, **options), wanted, x, h0)


@given(steps=SIZE, n=SIZE, width=SIZE, hidden=SIZE, bias=st.sampled_from(["none", "one", "two"]))
@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("sequence", [True, False])
def test_gru(program_of, run_program, sequence, direction, steps, n, width, hidden, bias):
    x, h0 = values(steps, n, width), values(n, hidden, seed=1)
    w, r = values(3 * hidden, width, seed=2), values(3 * hidden, hidden, seed=3)
    b, more = values(3 * hidden, seed=4) * (bias != "none"), values(3 * hidden, seed=5) * (bias == "two")
    (wr, wo, wz), (rr, ro, rz), (br, bo, bz) = (np.split(one, 3) for one in (w, r, b + more))
    h, states = h0, []
    for t in range(steps) if direction == "forward" else reversed(range(steps)):
        reset = ACTS["sigmoid"](x[t] @ wr.T + h @ rr.T + br)
        update = ACTS["sigmoid"](x[t] @ wz.T + h @ rz.T + bz)
        new = np.tanh(x[t] @ wo.T + (reset * h) @ ro.T + bo)
        h = (1 - update) * new + update * h
        states.append(h)
    options = {"weight_ih": w, "weight_hh": r, "direction": direction, "output_sequence": sequence}
    if bias != "none":
        options["bias"] = b
    if bias == "two":
        options["input_bias"] = more
    wanted = (np.stack(states if sequence else states[-1:]), h)
    body = lambda x, h: mb.gru(x=x, initial_h=h, **options)  # noqa: E731
    compare(program_of, run_program, body, wanted, x, h0, opset=ct.target.iOS18)


def one_way(x, h, c, w, r, b, p, clip=None):
    (wi, wf, wo, wz), (ri, rf, ro, rz), (bi, bf, bo, bz) = (np.split(one, 4) for one in (w, r, b))
    pi, pf, po = np.split(p, 3)
    states = []
    for step in x:
        i = ACTS["sigmoid"](step @ wi.T + h @ ri.T + bi + c * pi)
        f = ACTS["sigmoid"](step @ wf.T + h @ rf.T + bf + c * pf)
        c = f * c + i * np.tanh(step @ wz.T + h @ rz.T + bz)
        c = c if clip is None else np.clip(c, -clip, clip)
        h = ACTS["sigmoid"](step @ wo.T + h @ ro.T + bo + c * po) * np.tanh(c)
        states.append(h)
    return np.stack(states), h, c


def lstm_weights(width, hidden, seed):
    return (
        values(4 * hidden, width, seed=seed),
        values(4 * hidden, hidden, seed=seed + 1),
        values(4 * hidden, seed=seed + 2),
        values(3 * hidden, seed=seed + 3),
    )


@given(steps=SIZE, n=SIZE, width=SIZE, hidden=SIZE, clip=st.sampled_from([None, 0.25]))
@pytest.mark.parametrize("sequence", [True, False])
def test_lstm(program_of, run_program, sequence, steps, n, width, hidden, clip):
    x, h0, c0 = values(steps, n, width), values(n, hidden, seed=1), values(n, hidden, seed=2)
    w, r, b, p = lstm_weights(width, hidden, 3)
    states, h, c = one_way(x, h0, c0, w, r, b, p, clip)
    options = {"weight_ih": w, "weight_hh": r, "bias": b, "peephole": p, "output_sequence": sequence}
    if clip is not None:
        options["clip"] = np.float32(clip)
    body = lambda x, h, c: mb.lstm(x=x, initial_h=h, initial_c=c, **options)  # noqa: E731
    compare(program_of, run_program, body, (states if sequence else states[-1:], h, c), x, h0, c0)


@given(steps=SIZE, n=SIZE, width=SIZE, hidden=SIZE)
@pytest.mark.parametrize("sequence", [True, False])
def test_lstm_both_ways(program_of, run_program, sequence, steps, n, width, hidden):
    x, h0, c0 = values(steps, n, width), values(n, 2 * hidden, seed=1), values(n, 2 * hidden, seed=2)
    w, r, b, p = lstm_weights(width, hidden, 3)
    w2, r2, b2, p2 = lstm_weights(width, hidden, 8)
    there, h1, c1 = one_way(x, h0[:, :hidden], c0[:, :hidden], w, r, b, p)
    back, h2, c2 = one_way(x[::-1], h0[:, hidden:], c0[:, hidden:], w2, r2, b2, p2)
    h, c = np.concatenate([h1, h2], axis=1), np.concatenate([c1, c2], axis=1)
    every = np.concatenate([there, back[::-1]], axis=2) if sequence else h[None]
    options = {
        "weight_ih": w, "weight_hh": r, "bias": b, "peephole": p,
        "weight_ih_back": w2, "weight_hh_back": r2, "bias_back": b2, "peephole_back": p2,
        "direction": "bidirectional", "output_sequence": sequence,
    }  # fmt: skip
    body = lambda x, h, c: mb.lstm(x=x, initial_h=h, initial_c=c, **options)  # noqa: E731
    compare(program_of, run_program, body, (every, h, c), x, h0, c0)


def test_backwards_to_one_state(program_of, run_program):
    x, h0, c0 = values(3, 2, 4), values(2, 5, seed=1), values(2, 5, seed=2)
    w, r, b, p = lstm_weights(4, 5, 3)
    states, h, c = one_way(x[::-1], h0, c0, w, r, b, p)
    options = {"weight_ih": w, "weight_hh": r, "bias": b, "peephole": p, "direction": "reverse"}
    body = lambda x, h, c: mb.lstm(x=x, initial_h=h, initial_c=c, **options)  # noqa: E731
    compare(program_of, run_program, body, (states[-1:], h, c), x, h0, c0)


def test_an_order_that_nobody_defines_is_refused(program_of, run_program):
    x, h0 = values(3, 2, 4), values(2, 5, seed=1)
    options = {"weight_ih": values(5, 4), "weight_hh": values(5, 5), "direction": "reverse", "output_sequence": True}
    with pytest.raises(NotCovered, match="direction=reverse"):
        run_program(program_of(lambda x, h: mb.rnn(x=x, initial_h=h, **options), x, h0), x, h0)
