"""`WeightParams` -> NumPy array, compressed ones expanded as coremltools does it.

The reference is `coremltools.models.neural_network.quantization_utils`: linear quantization is computed in float64 and
rounded to float32 once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from app.compiler.network.blobs import Refused


def weights(parameters: Any, shape: Sequence[int], channel_axis: int = 0) -> np.ndarray:
    """The weights in `shape`: float16 where the file stores that, float32 otherwise.

    `channel_axis` is the one that scales and biases of a linear quantization belong to where there is more than one.
    Raises ValueError where the numbers do not fit `shape`, Refused for int8 weights of a dynamic quantization.
    """
    shape = tuple(int(size) for size in shape)
    if parameters.int8RawValue:
        raise Refused("int8RawValue")
    if parameters.floatValue:
        return _shaped(np.array(parameters.floatValue, np.float32), shape)
    if parameters.float16Value:
        return _shaped(np.frombuffer(parameters.float16Value, "<f2"), shape)
    return _expanded(parameters, shape, channel_axis)


def wide(parameters: Any, shape: Sequence[int]) -> np.ndarray:
    """The weights as float32, for operations whose tensors all have one type."""
    return weights(parameters, shape).astype(np.float32)


def of_one_type(*arrays: np.ndarray | None) -> list[np.ndarray | None]:
    """The arrays as they are where all have one type, else all as float32; MIL wants a weight and its bias alike."""
    kinds = {array.dtype for array in arrays if array is not None}
    return [a if a is None or len(kinds) == 1 else a.astype(np.float32) for a in arrays]


def given(parameters: Any) -> bool:
    """Whether any weights are stored."""
    return bool(parameters.floatValue or parameters.float16Value or parameters.rawValue or parameters.int8RawValue)


def count(parameters: Any) -> int:
    """How many numbers are stored."""
    if parameters.rawValue:
        return len(parameters.rawValue) * 8 // max(int(parameters.quantization.numberOfBits), 1)
    return len(parameters.floatValue) or len(parameters.float16Value) // 2


def unpacked(raw: bytes, number_of_bits: int, total: int) -> np.ndarray:
    """`total` whole numbers of 1…8 bits, packed with the most significant bit first, as uint8. Raises ValueError."""
    if not 1 <= number_of_bits <= 8:
        raise ValueError(f"weights of {number_of_bits} bits")
    if len(raw) < (total * number_of_bits + 7) // 8:
        raise ValueError(f"{len(raw)} bytes of weights, needs {total} × {number_of_bits} bits")
    stored = np.frombuffer(raw, np.uint8)
    if number_of_bits == 8:
        return _exactly(stored, total)
    bits = np.unpackbits(stored, count=total * number_of_bits).reshape(total, number_of_bits)
    return np.packbits(bits, axis=1).reshape(-1) >> np.uint8(8 - number_of_bits)


def _expanded(parameters: Any, shape: tuple[int, ...], channel_axis: int) -> np.ndarray:
    total = prod(shape)
    if total and not parameters.rawValue:
        raise ValueError(f"no weights, needs {total}")
    quantization = parameters.quantization
    stored = unpacked(parameters.rawValue, int(quantization.numberOfBits), total).reshape(shape)
    kind = quantization.WhichOneof("QuantizationType")
    if kind == "lookupTableQuantization":
        table = np.array(quantization.lookupTableQuantization.floatValue, np.float32)
        if stored.size and int(stored.max()) >= len(table):
            raise ValueError(f"a lookup table of {len(table)} values is too short")
        return table[stored]
    if kind == "linearQuantization":
        linear = quantization.linearQuantization
        scale = _by_channel(linear.scale, shape, channel_axis, 1.0)
        bias = _by_channel(linear.bias, shape, channel_axis, 0.0)
        return np.asarray(stored.astype(np.float64) * scale + bias).astype(np.float32)
    raise ValueError("compressed weights that do not say how")


def _by_channel(values: Any, shape: tuple[int, ...], channel_axis: int, default: float) -> np.ndarray:
    """One value for all weights, or one for each channel, ready to broadcast."""
    array = np.array(values or [default], np.float64)
    if array.size == 1:
        return array.reshape(())
    if not shape or array.size != shape[channel_axis]:
        raise ValueError(f"{array.size} scales or biases for weights of {shape}")
    return array.reshape([-1 if axis == channel_axis else 1 for axis in range(len(shape))])


def _shaped(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return _exactly(array, prod(shape)).reshape(shape)


def _exactly(array: np.ndarray, total: int) -> np.ndarray:
    if array.size != total:
        raise ValueError(f"{array.size} weights, needs {total}")
    return array
