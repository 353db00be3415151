"""Sums of products, for lanes that have some of the channels each: `passes/lanes/rules.py` makes them."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import lowers


@lowers("sum_of_convs")
def sum_of_convs(values: Sequence[mx.array], weights: Sequence[mx.array], *, bias: mx.array | None = None) -> mx.array:
    """A 1 × 1 convolution whose input comes in blocks of channels. values: N, I, space; weights: O, I; bias: O, 1."""
    n, _, *size = values[0].shape
    pairs = [(weight, x.reshape(n, x.shape[1], -1)) for x, weight in zip(values, weights, strict=True)]
    return _sum_of(pairs, bias).reshape(n, -1, *size)


@lowers("sum_of_linears")
def sum_of_linears(
    values: Sequence[mx.array], weights: Sequence[mx.array], *, bias: mx.array | None = None
) -> mx.array:
    """`linear` whose input comes in blocks of channels. values: …, I; weights: O, I; bias: O, or one value for all."""
    return _sum_of([(x, weight.T) for x, weight in zip(values, weights, strict=True)], bias)


def _sum_of(pairs: Sequence[tuple[mx.array, mx.array]], bias: mx.array | None) -> mx.array:
    """From the second product on BLAS adds to what is there, in place."""
    (a, b), *rest = pairs
    y = a @ b
    for a, b in rest:
        y = mx.addmm(y, a, b)
    return y if bias is None else y + bias
