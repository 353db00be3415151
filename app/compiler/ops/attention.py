"""What `passes/attention.py` makes of softmax(q · kᵀ) · v."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import lowers


@lowers("attention")
def attention(
    query: mx.array,
    key: mx.array,
    value: mx.array,
    *,
    mask: mx.array | None = None,
    scale: float = 1.0,
) -> mx.array:
    """softmax(scale * query · keyᵀ + mask) · value over the last two axes: N, D. The mask broadcasts to the scores.

    The axes before them are equal in query, key and value.
    """
    *before, rows, _ = query.shape
    if mask is not None and mask.ndim > 2:
        # Its axes count from the last: (heads, N, M) holds for every image.
        mask = mask.reshape((1,) * (query.ndim - mask.ndim) + mask.shape)
        mask = _four_axes(mx.broadcast_to(mask, (*before, *mask.shape[-2:])) if len(before) != 2 else mask)
    result = mx.fast.scaled_dot_product_attention(
        _four_axes(query), _four_axes(key), _four_axes(value), scale=scale, mask=mask
    )
    return result.reshape(*before, rows, value.shape[-1])


def _four_axes(x: mx.array) -> mx.array:
    """x as B, heads, N, D, which is how MLX wants it: with one head, or with all leading axes but the last as one."""
    if x.ndim == 4:
        return x
    return mx.expand_dims(x, 1) if x.ndim == 3 else x.reshape(-1, *x.shape[-3:])
