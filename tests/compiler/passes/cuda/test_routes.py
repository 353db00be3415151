"""What follows a product joins it, in every order that a kernel knows, and changes no number."""

import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from hypothesis import given
from hypothesis import strategies as st

from app.compiler import passes
from app.compiler.build import build
from app.compiler.passes.cuda.routes import route_on_cuda
from app.compiler.passes.layout import channels_last

pytestmark = pytest.mark.mlx


def values(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


PRODUCTS = {
    "fused_conv": lambda x: mb.conv(x=x, weight=values(8, 8, 3, 3), bias=values(8), pad_type="same"),
    "fused_depthwise": lambda x: mb.conv(x=x, weight=values(8, 1, 5, 5), groups=8, pad_type="same", strides=[1, 1]),
}
ACTIVATIONS = {
    "relu": lambda x: mb.relu(x=x),
    "clip": lambda x: mb.clip(x=x, alpha=-0.5, beta=1.5),
    "relu6": lambda x: mb.relu6(x=x),
    "gelu": lambda x: mb.gelu(x=x, mode="EXACT"),
    "tanh gelu": lambda x: mb.gelu(x=x, mode="TANH_APPROXIMATION"),
    "silu": lambda x: mb.silu(x=x),
    "sigmoid": lambda x: mb.sigmoid(x=x),
    "hard sigmoid": lambda x: mb.sigmoid_hard(x=x, alpha=0.3, beta=0.4),
    "leaky": lambda x: mb.leaky_relu(x=x, alpha=0.2),
    "tanh": lambda x: mb.tanh(x=x),
}


def fused(program):
    return route_on_cuda(channels_last(program))


def products(program):
    return [o for o in program.operations if o.kind not in ("transpose", "reshape")]


def agree(program, after, x, tolerance=1e-4):
    (wanted,), (found,) = build(program)(mx.array(x)), build(after)(mx.array(x))
    np.testing.assert_allclose(np.array(found), np.array(wanted), rtol=tolerance, atol=tolerance)


@given(
    product=st.sampled_from(sorted(PRODUCTS)),
    activation=st.sampled_from([None, *sorted(ACTIVATIONS)]),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_an_activation_joins_its_product(program_of, product, activation, size):
    x = values(1, 8, *size, seed=3)

    def body(x):
        y = PRODUCTS[product](x)
        return ACTIVATIONS[activation](y) if activation else y

    program = program_of(body, x)
    after = fused(program)
    assert [o.kind for o in products(after)] == [product]
    agree(program, after, x)


@given(first=st.booleans(), swap=st.booleans(), activation=st.sampled_from(sorted(ACTIVATIONS)))
def test_a_residual_joins_before_or_after_the_activation(program_of, first, swap, activation):
    x = values(1, 8, 5, 6, seed=3)

    def body(x):
        def plus(y):
            return mb.add(x=x, y=y) if swap else mb.add(x=y, y=x)

        y = PRODUCTS["fused_conv"](x)
        return ACTIVATIONS[activation](plus(y)) if first else plus(ACTIVATIONS[activation](y))

    program = program_of(body, x)
    after = fused(program)
    (one,) = products(after)
    assert one.inputs["residual_first"] == first
    agree(program, after, x)


@given(rows=st.integers(1, 9), swap=st.booleans(), order=st.permutations(["factor", "gelu", "residual"]))
def test_only_the_steps_in_the_kernels_order_join_a_linear_layer(program_of, rows, swap, order):
    x = values(rows, 8, seed=3)

    def body(x):
        y = mb.linear(x=x, weight=values(8, 8), bias=values(8))
        steps = {
            "factor": lambda y: mb.mul(x=values(8), y=y) if swap else mb.mul(x=y, y=values(8)),
            "gelu": lambda y: mb.gelu(x=y),
            "residual": lambda y: mb.add(x=y, y=x),
        }
        for step in order:
            y = steps[step](y)
        return y

    program = program_of(body, x)
    after = fused(program)
    taken = after.operations[0].inputs.keys() & {"factor", "activation", "residual"}
    if order[0] == "factor":
        assert len(after.operations) == 1
        assert len(taken) == 3
    agree(program, after, x)


def test_two_products_that_are_added_become_one_and_its_residual(program_of):
    x = values(1, 8, 4, 4)
    program = program_of(
        lambda x: mb.relu(x=mb.add(x=PRODUCTS["fused_conv"](x), y=PRODUCTS["fused_conv"](mb.tanh(x=x)))), x
    )
    after = fused(program)
    kinds = [o.kind for o in products(after)]
    assert sorted(kinds) == ["fused_conv", "fused_conv", "tanh"]
    agree(program, after, x)


def test_what_is_read_elsewhere_stays(program_of):
    x = values(1, 8, 4, 4)

    def body(x):
        y = PRODUCTS["fused_conv"](x)
        return mb.mul(x=mb.relu(x=y), y=y)

    after = fused(program_of(body, x))
    assert [o.kind for o in products(after)] == ["fused_conv", "relu", "mul"]


LEFT_ALONE = {
    "groups of channels": lambda x: mb.conv(x=x, weight=values(8, 4, 3, 3), groups=2),
    "channels that fill no vector": lambda x: mb.conv(
        x=mb.slice_by_index(x=x, begin=[0, 0, 0, 0], end=[1, 7, 5, 5]), weight=values(7, 1, 3, 3), groups=7
    ),
    "a wide depthwise kernel": lambda x: mb.conv(x=x, weight=values(8, 1, 9, 9), groups=8, pad_type="same"),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_no_kernel_does_stays_a_convolution(program_of, name):
    x = values(1, 8, 5, 5)
    program = program_of(LEFT_ALONE[name], x)
    after = fused(program)
    assert "conv" in [o.kind for o in after.operations]
    agree(program, after, x)


@pytest.mark.parametrize("keep", [True, False])
def test_the_mean_over_space_is_one_kernel(program_of, keep):
    x = values(1, 8, 5, 6)
    program = program_of(lambda x: mb.reduce_mean(x=PRODUCTS["fused_conv"](x), axes=[2, 3], keep_dims=keep), x)
    after = fused(program)
    assert "fused_mean" in [o.kind for o in after.operations]
    agree(program, after, x)


def test_what_is_exported_leaves_them_out(monkeypatch):
    """Whoever loads the file may have another GPU."""

    def ours(program):
        return program

    monkeypatch.setattr(passes, "passes_on_cuda", lambda: (ours,))
    assert ours in passes.passes_at(1, "gpu")
    assert ours not in passes.passes_at(1, "gpu", portable=True)
