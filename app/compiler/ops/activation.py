"""MIL family `activation`. Every result keeps shape and dtype of x."""

from __future__ import annotations

import math

import mlx.core as mx

from app.compiler.ops.registry import Axes, NotCovered, lowers


@lowers("relu", axes=Axes.ELEMENTWISE)
def relu(x: mx.array) -> mx.array:
    """max(x, 0)."""
    return mx.maximum(x, 0)


@lowers("relu6", axes=Axes.ELEMENTWISE)
def relu6(x: mx.array) -> mx.array:
    """x limited to [0, 6]."""
    return mx.minimum(mx.maximum(x, 0), 6)


@lowers("clamped_relu", axes=Axes.ELEMENTWISE)
def clamped_relu(x: mx.array, *, alpha: float, beta: float) -> mx.array:
    """min(x, beta) where x >= 0, else min(beta, alpha * x)."""
    return mx.minimum(mx.where(x >= 0, x, alpha * x), beta)


@lowers("leaky_relu", axes=Axes.ELEMENTWISE)
def leaky_relu(x: mx.array, *, alpha: float) -> mx.array:
    """x where x >= 0, else alpha * x."""
    return mx.where(x >= 0, x, alpha * x)


@lowers("thresholded_relu", axes=Axes.ELEMENTWISE)
def thresholded_relu(x: mx.array, *, alpha: float) -> mx.array:
    """x where x >= alpha, else 0."""
    return mx.where(x >= alpha, x, mx.zeros_like(x))


@lowers("prelu", axes=Axes.SPATIAL)
def prelu(x: mx.array, *, alpha: mx.array, channels_last: bool = False) -> mx.array:
    """x where x > 0, else alpha * x; alpha has one value a channel."""
    slope = alpha if channels_last else alpha.reshape(-1, *(1,) * (x.ndim - 2))
    return mx.where(x > 0, x, slope * x)


@lowers("elu", axes=Axes.ELEMENTWISE)
def elu(x: mx.array, *, alpha: float) -> mx.array:
    """x where x > 0, else alpha * (e^x - 1)."""
    return mx.where(x > 0, x, alpha * mx.expm1(mx.minimum(x, 0)))


@lowers("gelu", axes=Axes.ELEMENTWISE)
def gelu(x: mx.array, *, mode: str = "EXACT") -> mx.array:
    """x * P(X <= x) for a standard normal X, by erf, tanh or the logistic function."""
    if mode == "EXACT":
        return 0.5 * x * (1 + mx.erf(x * math.sqrt(0.5)))
    if mode == "TANH_APPROXIMATION":
        return 0.5 * x * (1 + mx.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    if mode == "SIGMOID_APPROXIMATION":
        return x * mx.sigmoid(1.702 * x)
    raise NotCovered(f"gelu (mode={mode})")


@lowers("sigmoid", axes=Axes.ELEMENTWISE)
def sigmoid(x: mx.array) -> mx.array:
    """1 / (1 + e^-x)."""
    return mx.sigmoid(x)


@lowers("sigmoid_hard", axes=Axes.ELEMENTWISE)
def sigmoid_hard(x: mx.array, *, alpha: float = 0.2, beta: float = 0.5) -> mx.array:
    """alpha * x + beta, limited to [0, 1]."""
    return mx.minimum(mx.maximum(alpha * x + beta, 0), 1)


@lowers("silu", axes=Axes.ELEMENTWISE)
def silu(x: mx.array) -> mx.array:
    """x * sigmoid(x)."""
    return x * mx.sigmoid(x)


@lowers("hard_swish", axes=Axes.ELEMENTWISE)
def hard_swish(x: mx.array, *, alpha: float, beta: float) -> mx.array:
    """x * (alpha * x + beta limited to [0, 1]). Not a MIL op; `passes/activations.py` makes it."""
    return x * mx.minimum(mx.maximum(alpha * x + beta, 0), 1)


@lowers("linear_activation", axes=Axes.ELEMENTWISE)
def linear_activation(x: mx.array, *, alpha: float, beta: float = 0.0) -> mx.array:
    """alpha * x + beta."""
    return alpha * x + beta


@lowers("scaled_tanh", axes=Axes.ELEMENTWISE)
def scaled_tanh(x: mx.array, *, alpha: float = 1.0, beta: float = 1.0) -> mx.array:
    """alpha * tanh(beta * x)."""
    return alpha * mx.tanh(beta * x)


@lowers("softplus", axes=Axes.ELEMENTWISE)
def softplus(x: mx.array) -> mx.array:
    """log(1 + e^x), without overflow for large x."""
    return mx.logaddexp(x, mx.zeros_like(x))


@lowers("softplus_parametric", axes=Axes.SPATIAL)
def softplus_parametric(x: mx.array, *, alpha: mx.array, beta: mx.array, channels_last: bool = False) -> mx.array:
    """alpha * log(1 + e^(beta * x)), one of each a channel; in float32, for beta * x may leave the range of x."""
    shape = (-1,) if channels_last else (-1, *(1,) * (x.ndim - 2))
    wide = softplus(beta.reshape(shape).astype(mx.float32) * x.astype(mx.float32))
    return (alpha.reshape(shape).astype(mx.float32) * wide).astype(x.dtype)


@lowers("softsign", axes=Axes.ELEMENTWISE)
def softsign(x: mx.array) -> mx.array:
    """x / (1 + |x|)."""
    return x / (1 + mx.abs(x))


@lowers("softmax", axes=Axes.NAMED)
def softmax(x: mx.array, *, axis: int = -1) -> mx.array:
    """e^x over its sum along `axis`; summed in float32 whatever the dtype."""
    return mx.softmax(x, axis=axis, precise=True)
