"""The kernels as functions of MLX arrays: which tile suits which size, and how many threads that takes.

Everything here runs while a function is traced. A geometry travels as one small array of integers, so that a kernel is
compiled once for each tile and type, not for each layer.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from app.compiler.cuda.arithmetic import COMMON, UNBOUND, bounded
from app.compiler.cuda.attention import ATTENTION
from app.compiler.cuda.depthwise import DEPTHWISE, MEAN
from app.compiler.cuda.device import Gpu, gpu
from app.compiler.cuda.geometry import (
    BIAS,
    FACTOR,
    RESIDUAL,
    RESIDUAL_FIRST,
    Window,
    depthwise_numbers,
    product_numbers,
)
from app.compiler.cuda.network import MEMORY_BYTES, NETWORK, THREADS
from app.compiler.cuda.product import FINISH, PRODUCT, VECTOR


def is_there() -> bool:
    """Whether MLX computes on a GPU that runs these kernels."""
    return gpu() is not None


@dataclass(frozen=True)
class After:
    """What follows the sum: y = act((sum + bias) * factor + residual), or the residual after the activation."""

    bias: tuple[float, ...] | None = None
    factor: tuple[float, ...] | None = None
    residual: mx.array | None = None
    residual_first: bool = False
    activation: str = "none"
    alpha: float = 0.0
    beta: float = 0.0

    @property
    def flags(self) -> int:
        """Which of these there are, as the kernel wants to know it."""
        first = RESIDUAL_FIRST if self.residual_first else 0
        found = (BIAS if self.bias is not None else 0) | (FACTOR if self.factor is not None else 0)
        return found | (RESIDUAL | first if self.residual is not None else 0)

    @property
    def named(self) -> tuple[str, float, float]:
        """The activation and its two numbers."""
        return self.activation, self.alpha, self.beta


@dataclass(frozen=True)
class Tile:
    """A block's part of the result, its groups of four warps, and the stages of its pipeline."""

    rows: int
    columns: int
    groups: int
    stages: int

    @property
    def memory_bytes(self) -> int:
        """Shared memory: the stages, and later in their place the sums."""
        staged = self.groups * self.stages * (self.rows + self.columns) * 128
        return max(staged, self.groups * self.rows * (self.columns + 4) * 4)


TILES = (
    Tile(128, 128, 1, 3),
    Tile(128, 64, 1, 3),
    Tile(64, 64, 1, 4),
    Tile(64, 64, 2, 3),
    Tile(64, 32, 4, 3),
    Tile(32, 32, 4, 3),
)
FEW_ROWS = 8
"""Up to here a warp an output, which reads the weights once a row, beats a tile that is mostly empty."""


def product(x: mx.array, weight: mx.array, window: Window | None, rows: int, after: After) -> mx.array:
    """rows × N products of windows of x with weight (N, K), in the type of x. Without a window x is rows × K."""
    columns, depth = weight.shape[0], weight.size // weight.shape[0]
    numbers = product_numbers(rows, columns, depth, window, after.flags, after.named)
    inputs = [x, weight, _vector(after.bias), _vector(after.factor), x if after.residual is None else after.residual]
    inputs.append(_known(mx.array(numbers, dtype=mx.int32)))
    if (window is None or window.is_point) and rows <= FEW_ROWS:
        return _run(_few_rows(), inputs, (rows, columns), x.dtype, -(-rows * columns // 4), 128, [])
    tile = best_tile(rows, columns, depth, x.dtype.size)
    blocks = -(-rows // tile.rows) * -(-columns // tile.columns)
    template = [("BM", tile.rows), ("BN", tile.columns), ("G", tile.groups), ("S", tile.stages)]
    return _run(_tiled(tile), inputs, (rows, columns), x.dtype, blocks, 128 * tile.groups, template)


def depthwise(x: mx.array, weight: mx.array, window: Window, after: After) -> mx.array:
    """A convolution of each channel by itself. x: N, H, W, C; weight: kH, kW, C; C a multiple of `vector(x)`."""
    kernel = weight.shape[:2]
    wide = 4 if window.dilations[1] == 1 and _enough(x, window, 4) else 1
    numbers = depthwise_numbers(x.shape[0], window, after.bias is not None, after.named)
    threads = x.shape[0] * window.out_height * -(-window.out_width // wide) * (window.channels // vector(x.dtype))
    inputs = [x, weight, _vector(after.bias), _known(mx.array(numbers, dtype=mx.int32))]
    shape = (x.shape[0], window.out_height, window.out_width, window.channels)
    template = [("KH", kernel[0]), ("KW", kernel[1]), ("SW", window.strides[1]), ("TW", wide)]
    return _run(_depthwise(), inputs, shape, x.dtype, -(-threads // 128), 128, template)


def network(x: mx.array, weights: mx.array, floats: mx.array, table: tuple[int, ...], size: int, key: int) -> mx.array:
    """The memory, `size` numbers, that the steps leave behind; `floats` is float32, the others have one type."""
    here = _here()
    # Made anew in every run, so that two runs at once have one each. Only the first four numbers are used; they are as
    # many as that because MLX keeps small arrays in the memory of the host. `key` keeps the compiler of MLX from making
    # one array of two that look the same.
    state = mx.zeros((64 + key,), dtype=mx.uint32)
    inputs = [x, weights, _known(floats), _known(mx.array(table, dtype=mx.int32)), state]
    return _run(_network(), inputs, (size,), x.dtype, here.multiprocessors, THREADS, [])


def mean(x: mx.array) -> mx.array:
    """The mean of each channel over space, summed in float32: N, H, W, C -> N, C; C a multiple of `vector(x)`."""
    images, channels = x.shape[0], x.shape[-1]
    size = x.size // (images * channels)
    blocks = images * -(-channels // (8 * vector(x.dtype)))
    inputs = [x, _known(mx.array([size, channels], dtype=mx.int32))]
    return _run(_mean(), inputs, (images, channels), x.dtype, blocks, 256, [])


def vector(dtype: mx.Dtype) -> int:
    """How many numbers a thread moves at once."""
    return 16 // dtype.size


def best_tile(rows: int, columns: int, depth: int, size: int) -> Tile:
    """The tile with the shortest time by a rough count: bytes and products a multiprocessor, and waiting for slices."""

    multiprocessors = _here().multiprocessors

    def microseconds(tile: Tile) -> float:
        blocks = -(-rows // tile.rows) * -(-columns // tile.columns)
        slices = -(-depth * size // 128)
        turns = -(-slices // tile.groups)
        moved = tile.groups * (tile.rows + tile.columns) * 128 / 90e3
        multiplied = tile.groups * tile.rows * tile.columns * 128 / size * 2 / (3.2e6 if size == 2 else 1.6e6)
        resident = max(1, min(228_000 // (tile.memory_bytes + 1024), 2048 // (128 * tile.groups)))
        waiting = -(-blocks // (multiprocessors * resident)) * (1.0 + turns * 0.3 + tile.groups * 0.15)
        return max(waiting, -(-blocks // multiprocessors) * turns * max(moved, multiplied)) + 0.2 * waiting

    return min((tile for tile in TILES if tile.memory_bytes <= _here().shared_bytes), key=microseconds)


def _enough(x: mx.array, window: Window, wide: int) -> bool:
    """Whether there is work for every multiprocessor when a thread makes `wide` outputs."""
    outputs = x.shape[0] * window.out_height * window.out_width * window.channels // vector(x.dtype)
    return outputs // wide >= _here().multiprocessors * 512


def _vector(numbers: tuple[float, ...] | None) -> mx.array:
    return _known(mx.array(numbers or (0.0,), dtype=mx.float32))


def _here() -> Gpu:
    found = gpu()
    assert found is not None
    return found


def _known(constant: mx.array) -> mx.array:
    """Evaluated now, so that a trace holds the numbers and not how they were made."""
    mx.eval(constant)
    return constant


def _run(
    kernel: Any,
    inputs: list[mx.array],
    shape: tuple[int, ...],
    dtype: mx.Dtype,
    blocks: int,
    threads: int,
    template: list[tuple[str, Any]],
) -> mx.array:
    (result,) = kernel(
        inputs=inputs,
        output_shapes=[shape],
        output_dtypes=[dtype],
        grid=(blocks * threads, 1, 1),
        threadgroup=(threads, 1, 1),
        template=[("T", dtype), *template],
    )
    return result


_DYNAMIC = "extern __shared__ __align__(128) char memory[]; "
_WARP = "const int at = (blockIdx.x * blockDim.x + threadIdx.x) / 32; "
_THREAD = "const long long at = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; "
_PRODUCT_INPUTS = ["x", "w", "bias", "factor", "res", "p"]


@functools.cache
def _tiled(tile: Tile) -> Any:
    return mx.fast.cuda_kernel(
        name="dyno_product",
        input_names=_PRODUCT_INPUTS,
        output_names=["y"],
        header=COMMON + FINISH + PRODUCT + bounded(128 * tile.groups),
        source=UNBOUND + _DYNAMIC + "product<T, BM, BN, G, S>(x, w, bias, factor, res, p, y, blockIdx.x, memory);",
        shared_memory=tile.memory_bytes,
    )


@functools.cache
def _few_rows() -> Any:
    return mx.fast.cuda_kernel(
        name="dyno_few_rows",
        input_names=_PRODUCT_INPUTS,
        output_names=["y"],
        header=COMMON + FINISH + VECTOR,
        source=_WARP + "if (at < p[0] * p[1]) few_rows<T>(x, w, bias, factor, res, p, y, at);",
    )


@functools.cache
def _depthwise() -> Any:
    return mx.fast.cuda_kernel(
        name="dyno_depthwise",
        input_names=["x", "w", "bias", "p"],
        output_names=["y"],
        header=COMMON + DEPTHWISE,
        source=_THREAD + "depthwise<T, KH, KW, SW, TW>(x, w, bias, p, y, at);",
    )


@functools.cache
def _mean() -> Any:
    return mx.fast.cuda_kernel(
        name="dyno_mean",
        input_names=["x", "p"],
        output_names=["y"],
        header=COMMON + MEAN,
        source="__shared__ char memory[8192]; mean<T>(x, p, y, blockIdx.x, memory);",
    )


@functools.cache
def _network() -> Any:
    return mx.fast.cuda_kernel(
        name="dyno_network",
        input_names=["x", "w", "f", "table", "state"],
        output_names=["y"],
        header=COMMON + FINISH + PRODUCT + VECTOR + DEPTHWISE + MEAN + ATTENTION + NETWORK + bounded(THREADS),
        source=UNBOUND + _DYNAMIC + "network<T>(x, w, f, table, const_cast<uint32_t*>(state), y, memory);",
        shared_memory=MEMORY_BYTES,
    )
