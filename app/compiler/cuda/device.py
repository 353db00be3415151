"""What the NVIDIA GPU here can do."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import mlx.core as mx

_MULTIPROCESSORS, _MAJOR, _SHARED_MEMORY = 16, 75, 97
"""cuda.h, CUdevice_attribute: MULTIPROCESSOR_COUNT, COMPUTE_CAPABILITY_MAJOR, MAX_SHARED_MEMORY_PER_BLOCK_OPTIN."""
_AMPERE = 8
"""The first generation with the copies and matrix instructions that the kernels are made of."""


@dataclass(frozen=True)
class Gpu:
    """How many multiprocessors, and the most shared memory that a block may ask for."""

    multiprocessors: int
    shared_bytes: int


@functools.cache
def gpu() -> Gpu | None:
    """The GPU that MLX computes on, when it is NVIDIA's and can run the kernels of this package."""
    if not mx.cuda.is_available():
        return None
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    numbers = []
    for attribute in (_MAJOR, _MULTIPROCESSORS, _SHARED_MEMORY):
        number = ctypes.c_int()
        if driver.cuInit(0) or driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, 0):
            return None
        numbers.append(number.value)
    return Gpu(numbers[1], numbers[2]) if numbers[0] >= _AMPERE else None
