"""Attention and layer normalisation for MLX's CPU back end, where reductions and e^x are slow: see functions_cpu.py."""

from __future__ import annotations

import math

import mlx.core as mx

from app.compiler.ops.functions_cpu import row_sum, softmax_terms
from app.compiler.ops.numbers_cpu import times
from app.compiler.ops.registry import lowers


@lowers("cpu_attention")
def cpu_attention(
    query: mx.array,
    key: mx.array,
    value: mx.array,
    *,
    mask: mx.array | None = None,
    scale: float = 1.0,
) -> mx.array:
    """`attention`. The rows are divided by their sums after the second product, where they are shorter."""
    keys = mx.swapaxes(key, -1, -2)
    if mask is None:
        terms = softmax_terms(times(query, scale * math.log2(math.e)) @ keys, base=2)
    else:
        terms = softmax_terms(times(query, scale) @ keys + mask)
    return (terms @ value) * (1 / row_sum(terms))


@lowers("cpu_layer_norm")
def cpu_layer_norm(
    x: mx.array, *, gamma: mx.array | None = None, beta: mx.array | None = None, epsilon: float = 1e-5
) -> mx.array:
    """`layer_norm` over the last axis."""
    share = 1 / x.shape[-1]
    centred = x - row_sum(x, share)
    y = centred * mx.rsqrt(row_sum(centred * centred, share) + epsilon)
    if gamma is not None:
        y = y * gamma
    return y if beta is None else y + beta
