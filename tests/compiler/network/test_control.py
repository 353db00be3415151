"""Branches and loops inside of a network."""

from __future__ import annotations

import numpy as np
import pytest
from coremltools.models.neural_network import NeuralNetworkBuilder

from app.compiler.network import mil_function, rebuild
from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx


def inside(network):
    """A builder for a network inside of a layer."""
    return NeuralNetworkBuilder(nn_spec=network, disable_rank5_shape_mapping=True)


def branching(builder, condition, wide=False):
    """y is 2 x where the condition holds, else x + 1, or something of another shape."""
    branch = builder.add_branch("branch", condition).branch
    inside(branch.ifBranch).add_activation("double", "LINEAR", "x0", "y", [2.0, 0.0])
    if wide:
        inside(branch.elseBranch).add_stack("stack", ["x0", "x0"], "y")
    else:
        inside(branch.elseBranch).add_activation("more", "LINEAR", "x0", "y", [1.0, 1.0])


@pytest.mark.parametrize(
    ("condition", "expected"), [(1.0, lambda x: 2 * x), (-3.0, lambda x: 2 * x), (0.0, lambda x: x + 1)]
)
def test_a_known_branch_is_taken(check_layers, noise, condition, expected):
    def add(builder):
        builder.add_load_constant_nd("c", "c", np.array([condition]), [1])
        branching(builder, "c")

    check_layers(add, expected, noise(2, 3))


@pytest.mark.parametrize("condition", [1.0, 1e-3, 1e-9, 0.0, -1.0])
def test_a_branch_that_the_input_decides_is_chosen_at_run_time(check_layers, noise, condition):
    check_layers(
        lambda b: branching(b, "x1"),
        lambda x, c: 2 * x if abs(c[0]) > 1e-6 else x + 1,
        noise(2, 3),
        np.array([condition], np.float32),
    )


def test_branches_of_different_shapes_are_refused_when_the_input_decides(network):
    specification = network(lambda b: branching(b, "x1", wide=True), (2, 3), (1,))
    with pytest.raises(UnsupportedOps, match="branch \\(branch, branches of different shapes\\)"):
        mil_function(specification, "network")


def twice(builder, **loop):
    """y starts as x and is doubled in every turn."""
    builder.add_copy("start", "x0", "y")
    body = inside(builder.add_loop("loop", **loop).loop.bodyNetwork)
    body.add_activation("double", "LINEAR", "y", "doubled", [2.0, 0.0])
    body.add_copy("keep", "doubled", "y")
    return body


@pytest.mark.parametrize("turns", [1, 3])
def test_a_loop_of_known_length(check_layers, noise, turns):
    check_layers(lambda b: twice(b, max_iterations=turns), lambda x: x * 2**turns, noise(2, 3))


def test_a_loop_whose_length_is_a_constant(check_layers, noise):
    def add(builder):
        builder.add_load_constant_nd("n", "n", np.array([4.0]), [1])
        twice(builder, input_name="n")

    check_layers(add, lambda x: x * 16, noise(2, 3))


@pytest.mark.parametrize(("limit", "turns"), [(0, 3), (2, 2), (9, 3)])
def test_a_loop_with_a_condition_that_constants_decide(check_layers, noise, limit, turns):
    def add(builder):
        builder.add_load_constant_nd("zero", "zero", np.array([0.0]), [1])
        builder.add_copy("begin", "zero", "count")
        body = twice(builder, condition="go", max_iterations=limit)
        loop = builder.spec.neuralNetwork.layers[-1].loop
        loop.conditionVar = "go"
        inside(loop.conditionNetwork).add_less_than("go", ["count"], "go", alpha=3.0)
        body.add_elementwise("next", "count", "next", "ADD", 1.0)
        body.add_copy("counted", "next", "count")

    check_layers(add, lambda x: x * 2**turns, noise(2, 3))


def test_a_loop_that_the_input_ends_is_refused(network):
    def add(builder):
        twice(builder, condition="x1")
        loop = builder.spec.neuralNetwork.layers[-1].loop
        loop.conditionVar = "go"
        inside(loop.conditionNetwork).add_copy("go", "x1", "go")

    with pytest.raises(UnsupportedOps, match="loop \\(loop, a condition computed at run time\\)"):
        mil_function(network(add, (2,), (1,)), "network")


def test_an_endless_loop_is_refused(network, monkeypatch):
    monkeypatch.setattr(rebuild, "_STEPS", 100)
    with pytest.raises(UnsupportedOps, match="loops of more than"):
        mil_function(network(lambda b: twice(b, max_iterations=10**9), (2,)), "network")


def test_unknown_layers_inside_of_layers_are_named(network):
    def add(builder):
        twice(builder, max_iterations=2).add_where_nonzero("places", "y", "z")
        builder.add_where_nonzero("more", "y", "y2")

    with pytest.raises(UnsupportedOps) as caught:
        mil_function(network(add, (2,)), "network")
    assert caught.value.fields["ops"] == ("places (whereNonZero)", "more (whereNonZero)")
