"""A product with all that follows it: what `passes/cuda/routes.py` makes. Channels stand last.

With an NVIDIA GPU each is one kernel (`cuda/`), elsewhere the same operations of MLX one after the other.
"""

from __future__ import annotations

import math

import mlx.core as mx

from app.compiler.cuda.geometry import joined, window
from app.compiler.cuda.launch import After, is_there
from app.compiler.cuda.launch import depthwise as depthwise_kernel
from app.compiler.cuda.launch import mean as mean_kernel
from app.compiler.cuda.launch import network as network_kernel
from app.compiler.cuda.launch import product as product_kernel
from app.compiler.ops.activation import gelu, hard_swish, leaky_relu, sigmoid_hard, silu
from app.compiler.ops.registry import lowers


@lowers("fused_linear")
def fused_linear(
    x: mx.array,
    *,
    weight: mx.array,
    bias: tuple[float, ...] | None = None,
    factor: tuple[float, ...] | None = None,
    residual: mx.array | None = None,
    residual_first: bool = False,
    activation: str = "none",
    alpha: float = 0.0,
    beta: float = 0.0,
) -> mx.array:
    """act((x · weightᵀ + bias) * factor + residual), or the residual added last. x: …, I; weight: O, I."""
    after = After(bias, factor, residual, residual_first, activation, alpha, beta)
    if not _on_cuda():
        return _then(x @ weight.T, after)
    return product_kernel(x, weight, None, x.size // x.shape[-1], after).reshape(*x.shape[:-1], -1)


@lowers("fused_conv")
def fused_conv(
    x: mx.array,
    *,
    weight: mx.array,
    strides: tuple[int, ...],
    pad: tuple[int, ...],
    dilations: tuple[int, ...],
    bias: tuple[float, ...] | None = None,
    factor: tuple[float, ...] | None = None,
    residual: mx.array | None = None,
    residual_first: bool = False,
    activation: str = "none",
    alpha: float = 0.0,
    beta: float = 0.0,
) -> mx.array:
    """act((conv(x) + bias) * factor + residual), or the residual added last. x: N, H, W, C; weight: O, kH, kW, C."""
    after = After(bias, factor, residual, residual_first, activation, alpha, beta)
    if not _on_cuda():
        return _then(_conv(x, weight, strides, pad, dilations, 1), after)
    moved = joined(window(x.shape, weight.shape[1:3], strides, pad, dilations))
    rows = x.shape[0] * moved.out_height * moved.out_width
    y = product_kernel(x, weight, moved, rows, after)
    return y.reshape(x.shape[0], moved.out_height, moved.out_width, -1)


@lowers("fused_depthwise")
def fused_depthwise(
    x: mx.array,
    *,
    weight: mx.array,
    strides: tuple[int, ...],
    pad: tuple[int, ...],
    dilations: tuple[int, ...],
    bias: tuple[float, ...] | None = None,
    activation: str = "none",
    alpha: float = 0.0,
    beta: float = 0.0,
) -> mx.array:
    """act(conv(x) + bias) of each channel by itself. x: N, H, W, C; weight: kH, kW, C."""
    after = After(bias, activation=activation, alpha=alpha, beta=beta)
    if not _on_cuda():
        return _then(_conv(x, weight.transpose(2, 0, 1)[..., None], strides, pad, dilations, x.shape[-1]), after)
    return depthwise_kernel(x, weight, window(x.shape, weight.shape[:2], strides, pad, dilations), after)


@lowers("fused_mean")
def fused_mean(x: mx.array, *, keep_dims: bool = False) -> mx.array:
    """The mean over H and W of N, H, W, C, summed in float32."""
    y = mean_kernel(x) if _on_cuda() else mx.mean(x.astype(mx.float32), axis=(1, 2)).astype(x.dtype)
    return y.reshape(x.shape[0], 1, 1, -1) if keep_dims else y


@lowers("fused_network")
def fused_network(
    x: mx.array,
    *,
    weights: mx.array,
    floats: tuple[float, ...],
    table: tuple[int, ...],
    size: int,
    places: tuple[int, ...],
    shapes: tuple[int, ...],
    key: int,
) -> tuple[mx.array, ...]:
    """The results of a run of operations (`passes/cuda/network.py` made the table): result i lies at places[i].

    `shapes` holds the shapes one after the other, each after its rank; `key` tells the runs of a program apart.
    """
    memory = network_kernel(x, weights, mx.array(floats, dtype=mx.float32), table, size, key)
    results, at = [], 0
    for place in places:
        shape = shapes[at + 1 : at + 1 + shapes[at]]
        at += 1 + len(shape)
        results.append(memory[place : place + math.prod(shape)].reshape(shape))
    return tuple(results)


def _on_cuda() -> bool:
    return is_there() and mx.default_device().type == mx.gpu


def _conv(
    x: mx.array,
    weight: mx.array,
    strides: tuple[int, ...],
    pad: tuple[int, ...],
    dilations: tuple[int, ...],
    groups: int,
) -> mx.array:
    padding = ([pad[0], pad[2]], [pad[1], pad[3]])
    return mx.conv_general(
        x, weight, stride=list(strides), padding=padding, kernel_dilation=list(dilations), groups=groups
    )


def _then(y: mx.array, after: After) -> mx.array:
    dtype = y.dtype
    if after.bias is not None:
        y = y + mx.array(after.bias, dtype=dtype)
    if after.factor is not None:
        y = y * mx.array(after.factor, dtype=dtype)
    if after.residual is not None and after.residual_first:
        y = y + after.residual
    y = _activated(y, after)
    if after.residual is not None and not after.residual_first:
        y = y + after.residual
    return y


def _activated(y: mx.array, after: After) -> mx.array:
    name, alpha, beta = after.activation, after.alpha, after.beta
    if name.startswith("gelu "):
        return gelu(y, mode=name.removeprefix("gelu "))
    table = {
        "none": lambda: y,
        "relu": lambda: mx.maximum(y, 0),
        "clip": lambda: mx.minimum(mx.maximum(y, alpha), beta),
        "hard_swish": lambda: hard_swish(y, alpha=alpha, beta=beta),
        "silu": lambda: silu(y),
        "sigmoid": lambda: mx.sigmoid(y),
        "sigmoid_hard": lambda: sigmoid_hard(y, alpha=alpha, beta=beta),
        "leaky_relu": lambda: leaky_relu(y, alpha=alpha),
        "tanh": lambda: mx.tanh(y),
    }
    return table[name]()
