"""Kept numbers give what plain ones give."""

import mlx.core as mx
import numpy as np
import pytest

from app.compiler.ops.numbers_cpu import at_least, at_most, keeping_numbers, plus, times

X = np.linspace(-3, 3, 24).reshape(2, 3, 4).astype(np.float32)


@pytest.mark.parametrize(
    ("function", "expected"), [(plus, np.add), (times, np.multiply), (at_least, np.maximum), (at_most, np.minimum)]
)
@pytest.mark.parametrize("shape", [(2, 3, 4), (24,), (1, 24, 1)])
def test_a_number_kept_or_not(function, expected, shape):
    x = X.reshape(shape)
    for number in (0.5, -1.25, 0.5):
        wanted = expected(x, np.float32(number))
        np.testing.assert_array_equal(np.array(function(mx.array(x), number)), wanted)
        with keeping_numbers():
            np.testing.assert_array_equal(np.array(function(mx.array(x), number)), wanted)


def test_an_exported_function_keeps_none(tmp_path):
    file = str(tmp_path / "function.mlxfn")
    with keeping_numbers():
        plus(mx.array(X), 2.0)
    mx.export_function(file, lambda x: plus(x, 2.0), mx.array(X))
    (result,) = mx.import_function(file)(mx.array(X))
    np.testing.assert_array_equal(np.array(result), X + 2)
