"""Which matrix product a convolution becomes on the CPU (`ops/conv_cpu.py` runs them)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.compiler.padding import flat
from app.compiler.passes.conv_folds import is_plain, padding_of
from app.compiler.program import Argument, Operation, Program

_TILE = 16
"""Outputs of a row that one band matrix makes. A wider tile copies less and multiplies more zeros; from 14 to 28 pixels
were fastest at every size of map that was tried, 112 × 112 to 7 × 7."""


def route_convolutions(program: Program) -> Program:
    """Before: conv with constant weights over two axes. After: pointwise_conv, banded_conv or unfolded_conv."""
    return replace(program, operations=tuple(_routed(operation) for operation in program.operations))


def _routed(conv: Operation) -> Operation:
    x, weight, bias = conv.value("x"), conv.constant("weight"), conv.constant("bias")
    if x is None or weight is None or not is_plain(conv) or weight.ndim != 4:
        return conv
    groups = conv.numbers("groups", (1,))[0]
    strides, dilations = conv.numbers("strides", (1, 1)), conv.numbers("dilations", (1, 1))
    pad, kernel = flat(padding_of(conv)), weight.shape[2:]
    inputs: dict[str, Argument] = {"x": x}
    if bias is not None:
        inputs["bias"] = bias.reshape(-1, 1)
    if kernel == (1, 1) and strides == (1, 1) and groups == 1 and not any(pad):
        inputs["weight"] = weight.reshape(weight.shape[:2])
        return Operation("pointwise_conv", inputs, conv.outputs)
    inputs.update(kernel=np.array(kernel), strides=np.array(strides), pad=np.array(pad))
    if groups == weight.shape[0] == x.shape[1] and dilations == (1, 1):
        inputs.update(_banded(weight, conv.output.shape[3], strides[1]))
        if bias is not None:
            inputs["bias"] = bias.reshape(-1, 1, 1)
        return Operation("banded_conv", inputs, conv.outputs)
    inputs["weight"] = weight.reshape(groups, weight.shape[0] // groups, -1)
    inputs.update(dilations=np.array(dilations), groups=groups)
    return Operation("unfolded_conv", inputs, conv.outputs)


def _banded(weight: np.ndarray, width: int, stride: int) -> dict[str, Argument]:
    """The band matrices for rows of `width` outputs, and into how many tiles they cut a row."""
    channels, _, rows, columns = weight.shape
    tile = tile_width(width)
    reach = (tile - 1) * stride + columns
    bands = np.zeros((channels, rows, reach, tile), weight.dtype)
    for i in range(tile):
        bands[:, :, i * stride : i * stride + columns, i] = weight[:, 0]
    return {"bands": bands.reshape(channels, rows * reach, tile), "tiles": width // tile}


def tile_width(width: int) -> int:
    """The divisor of `width` that is nearest to `_TILE`, from half to twice as wide; all of it when there is none."""
    divisors = [n for n in range(_TILE // 2, 2 * _TILE + 1) if width % n == 0]
    return min(divisors, key=lambda n: abs(n - _TILE), default=width)
