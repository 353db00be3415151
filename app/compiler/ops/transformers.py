"""MIL family `transformers` (iOS 18)."""

from __future__ import annotations

import math

import mlx.core as mx

from app.compiler.ops.registry import lowers


@lowers("scaled_dot_product_attention")
def scaled_dot_product_attention(
    *, query: mx.array, key: mx.array, value: mx.array, attn_mask: mx.array | None = None
) -> mx.array:
    """softmax(query · keyᵀ / √E + mask) · value.

    query: B, …, L, E; key: B, …, S, E; value: B, …, S, EV, with the same axes before the last two. The mask broadcasts
    to B, …, L, S: a float is added, a false takes the element out.
    """
    lead = query.shape[:-2]
    if attn_mask is not None and attn_mask.dtype != mx.bool_:
        attn_mask = attn_mask.astype(query.dtype)
    if attn_mask is not None and query.ndim != 4:
        attn_mask = _four(mx.broadcast_to(attn_mask, (*lead, query.shape[-2], key.shape[-2])))
    q, k, v = (_four(x) for x in (query, key, value))
    y = mx.fast.scaled_dot_product_attention(q, k, v, scale=1 / math.sqrt(query.shape[-1]), mask=attn_mask)
    return y.reshape(*lead, query.shape[-2], value.shape[-1])


def _four(x: mx.array) -> mx.array:
    """The four axes that MLX wants, heads the second."""
    return x if x.ndim == 4 else x.reshape(x.shape[0], -1, *x.shape[-2:])
