"""Matrix products, tables, scales and biases against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import UnsupportedOps

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize("front", [(), (2,), (2, 3)])
def test_inner_product_over_the_last_axis(check_layers, noise, front):
    weight, bias = noise(4, 5, seed=1), noise(4, seed=2)
    check_layers(
        lambda b: b.add_inner_product("layer", weight, bias, 5, 4, True, "x0", "y"),
        lambda x: x @ weight.T + bias,
        noise(*front, 5),
    )


@pytest.mark.parametrize("front", [(2,), (2, 3)])
def test_inner_product_over_channels_height_and_width(check_layers, noise, front):
    weight, bias = noise(4, 30, seed=1), noise(4, seed=2)
    check_layers(
        lambda b: b.add_inner_product("layer", weight, bias, 30, 4, True, "x0", "y"),
        lambda x: (x.reshape(*front, 30) @ weight.T + bias).reshape(*front, 4, 1, 1),
        noise(*front, 5, 2, 3),
    )


def test_inner_products_in_a_row_by_the_older_shape_rules(check_layers, noise):
    first, second = noise(4, 30, seed=1), noise(3, 4, seed=2)

    def add(builder):
        builder.add_inner_product("first", first, None, 30, 4, False, "x0", "between")
        builder.add_activation("relu", "RELU", "between", "positive")
        builder.add_inner_product("second", second, None, 4, 3, False, "positive", "y")

    def expected(x):
        return (np.maximum(x.reshape(30) @ first.T, 0) @ second.T).reshape(1, 1, 3, 1, 1)

    check_layers(add, expected, noise(5, 2, 3), rank_5=True)


def test_dynamic_quantization_is_refused(network, run_network, noise):
    specification = network(lambda b: b.add_inner_product("last", noise(4, 5), None, 5, 4, False, "x0", "y"), (5,))
    specification.neuralNetwork.layers[0].innerProduct.int8DynamicQuantize = True
    with pytest.raises(UnsupportedOps, match="last \\(innerProduct, int8DynamicQuantize\\)"):
        run_network(specification, noise(5))


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
def test_product_of_two_inputs(check_layers, noise, transposed):
    a = noise(2, 1, 4, 3).swapaxes(-1, -2) if transposed[0] else noise(2, 1, 4, 3)
    b = noise(5, 3, 2).swapaxes(-1, -2) if transposed[1] else noise(5, 3, 2)

    def expected(a, b):
        return (a.swapaxes(-1, -2) if transposed[0] else a) @ (b.swapaxes(-1, -2) if transposed[1] else b)

    check_layers(
        lambda builder: builder.add_batched_mat_mul("layer", ["x0", "x1"], "y", *transposed),
        expected,
        np.ascontiguousarray(a),
        np.ascontiguousarray(b),
    )


def test_product_of_a_vector_and_a_matrix_has_two_axes(check_layers, noise):
    check_layers(
        lambda b: b.add_batched_mat_mul("layer", ["x0", "x1"], "y"),
        lambda a, b: (a @ b)[None],
        noise(3),
        noise(3, 4, seed=1),
    )


@pytest.mark.parametrize("front", [(2,), (2, 3, 4)])
def test_product_with_a_stored_matrix(check_layers, noise, front):
    weight, bias = noise(5, 4, seed=1), noise(4, seed=2)
    check_layers(
        lambda b: b.add_batched_mat_mul(
            "layer", ["x0"], "y", weight_matrix_rows=5, weight_matrix_columns=4, W=weight, bias=bias
        ),
        lambda x: x @ weight + bias,
        noise(*front, 5),
    )


@pytest.mark.parametrize("biased", [True, False])
def test_embeddings(check_layers, noise, biased):
    table, bias = noise(6, 3, seed=1), noise(3, seed=2)
    indices = np.array([5, 0, 2], np.float32)

    def expected(i):
        return table[i.astype(int)] + (bias if biased else 0)

    check_layers(
        lambda b: b.add_embedding_nd("layer", "x0", "y", 6, 3, table.T, bias if biased else None),
        lambda i: expected(i[:, 0]),
        indices.reshape(3, 1),
    )
    check_layers(
        lambda b: b.add_embedding("layer", table.T, bias if biased else None, 6, 3, biased, "x0", "y"),
        lambda i: expected(i[:, 0, 0, 0]).reshape(3, 3, 1, 1),
        indices.reshape(3, 1, 1, 1),
    )


@pytest.mark.parametrize("shape", [(1,), (3,), (1, 4, 5), (3, 4, 5)])
@pytest.mark.parametrize("x", [(3, 4, 5), (2, 3, 4, 5)])
def test_scale_and_bias(check_layers, noise, shape, x):
    factor, offset = noise(*shape, seed=1), noise(*shape, seed=2)

    def wide(array):
        return array.reshape(-1, 1, 1) if array.ndim == 1 else array

    check_layers(
        lambda b: b.add_scale("layer", factor, offset, True, "x0", "y", list(shape), list(shape)),
        lambda x: x * wide(factor) + wide(offset),
        noise(*x),
    )
    check_layers(lambda b: b.add_bias("layer", offset, "x0", "y", list(shape)), lambda x: x + wide(offset), noise(*x))


@pytest.mark.parametrize("cosine", [True, False])
def test_dot_product(check_layers, noise, cosine):
    def expected(a, b):
        product = (a * b).sum(-3, keepdims=True)
        return product / np.sqrt((a * a).sum(-3, keepdims=True) * (b * b).sum(-3, keepdims=True)) if cosine else product

    check_layers(
        lambda b: b.add_elementwise("layer", ["x0", "x1"], "y", "COS" if cosine else "DOT"),
        expected,
        noise(2, 7, 1, 1),
        noise(2, 7, 1, 1, seed=1),
    )
