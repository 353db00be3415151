"""Multiply-adds follow from the declared shapes."""

import numpy as np
import pytest

from app.compiler.inspection.work import multiply_adds
from app.compiler.program import Operation, Program, Value


def value(*shape):
    return Value(f"v{shape}", shape, "fp32")


def one(kind, output, **inputs):
    operation = Operation(kind, inputs, (output,))
    return multiply_adds(Program((), (operation,), (("y", output),)))


def test_convolution_counts_its_window_over_the_channels_of_a_group():
    weight = np.zeros((8, 3, 5, 5))
    assert one("conv", value(1, 8, 10, 12), x=value(1, 6, 10, 12), weight=weight) == 8 * 10 * 12 * 3 * 25


def test_transposed_convolution_counts_where_each_input_goes():
    weight = np.zeros((6, 4, 2, 2))
    assert one("conv_transpose", value(1, 4, 20, 24), x=value(1, 6, 10, 12), weight=weight) == 6 * 120 * 4 * 4


def test_linear():
    assert one("linear", value(7, 5), x=value(7, 3), weight=np.zeros((5, 3))) == 7 * 5 * 3


@pytest.mark.parametrize(("turned", "x"), [(False, (2, 4, 3)), (True, (2, 3, 4))])
def test_matrix_product(turned, x):
    assert one("matmul", value(2, 4, 5), x=value(*x), y=value(2, 3, 5), transpose_x=turned) == 2 * 4 * 5 * 3


def test_einsum_runs_every_letter_through_its_range():
    values = (value(2, 3, 4), value(2, 4, 5))
    assert one("einsum", value(2, 3, 5), equation="bij,bjk->bik", values=values) == 2 * 3 * 4 * 5


def test_attention_is_two_products():
    q, k, v = value(1, 2, 7, 16), value(1, 2, 9, 16), value(1, 2, 9, 8)
    found = one("scaled_dot_product_attention", value(1, 2, 7, 8), query=q, key=k, value=v)
    assert found == 2 * 7 * 9 * 16 + 2 * 7 * 9 * 8


def test_other_operations_count_nothing():
    assert one("add", value(3, 3), x=value(3, 3), y=value(3, 3)) == 0
