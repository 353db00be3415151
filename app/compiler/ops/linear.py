"""MIL family `linear`."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx

from app.compiler.ops.registry import NotCovered, lowers

_MOST_FACTORS = 2**26
"""Products of single whole numbers in one matrix product: 256 MB."""


@lowers("linear")
def linear(x: mx.array, *, weight: mx.array, bias: mx.array | None = None) -> mx.array:
    """x · weightᵀ + bias. x: …, I; weight: O, I; bias: O, or one value for all."""
    product = _product(x, weight.T)
    return product if bias is None else product + bias


@lowers("matmul")
def matmul(x: mx.array, y: mx.array, *, transpose_x: bool = False, transpose_y: bool = False) -> mx.array:
    """Matrix product of the last two axes, leading axes broadcast; a vector is a row (x) or a column (y)."""
    if transpose_x and x.ndim > 1:
        x = x.swapaxes(-1, -2)
    if transpose_y and y.ndim > 1:
        y = y.swapaxes(-1, -2)
    return _product(x, y)


@lowers("einsum")
def einsum(values: Sequence[mx.array], *, equation: str) -> mx.array:
    """nchw,nwhu->nchu or chw,whu->chu under any letters, the two equations that MIL allows; n and h broadcast."""
    x, y = values
    if _numbered(equation) not in (_numbered("nchw,nwhu->nchu"), _numbered("chw,whu->chu")):
        raise NotCovered(f"einsum (equation={equation})")
    return _product(x.swapaxes(-3, -2), y.swapaxes(-3, -2)).swapaxes(-3, -2)


def _numbered(equation: str) -> str:
    """The equation with its letters numbered in the order of their first use."""
    places = {letter: str(i) for i, letter in enumerate(dict.fromkeys(equation))}
    return " ".join(places[letter] for letter in equation)


def _product(x: mx.array, y: mx.array) -> mx.array:
    """x @ y; of whole numbers too, whose products MLX has not: exact, if slow and with each factor in memory."""
    if mx.issubdtype(x.dtype, mx.floating):
        return x @ y
    if x.ndim == 1:
        return mx.squeeze(_product(x[None], y), -2)
    if max(x.size * y.shape[-1], x.shape[-2] * y.size) > _MOST_FACTORS:
        raise NotCovered(f"matmul ({x.dtype}, {x.shape} by {y.shape})")
    return mx.sum(x[..., :, :, None] * y[..., None, :, :], axis=-2)
