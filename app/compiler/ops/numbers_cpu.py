"""Arithmetic of float32 arrays with a number, for functions that are run step by step on the CPU.

`x * 1.5` is three things to MLX: an array made of the number, its broadcast to the shape of x, the product. Each costs
the dispatching thread one to two microseconds, and a function such as gelu has twenty of them. So the broadcast numbers
are kept. Not while a function is exported: mx.export_function would write a kept one as if it had all its elements.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import mlx.core as mx


class _ThisThread(threading.local):
    keeping = False


_this_thread = _ThisThread()
_kept: dict[tuple[float, tuple[int, ...]], mx.array] = {}
_MOST = 10_000
"""So many take a few megabytes; a model has some hundred."""


@contextmanager
def keeping_numbers() -> Iterator[None]:
    """While this lasts, this thread's numbers are kept from one call to the next."""
    before, _this_thread.keeping = _this_thread.keeping, True
    try:
        yield
    finally:
        _this_thread.keeping = before


def plus(x: mx.array, number: float) -> mx.array:
    """x + number."""
    return mx.add(x, _like(x, number))


def times(x: mx.array, number: float) -> mx.array:
    """x * number."""
    return mx.multiply(x, _like(x, number))


def at_least(x: mx.array, number: float) -> mx.array:
    """max(x, number); a NaN stays one."""
    return mx.maximum(x, _like(x, number))


def at_most(x: mx.array, number: float) -> mx.array:
    """min(x, number); a NaN stays one."""
    return mx.minimum(x, _like(x, number))


def _like(x: mx.array, number: float) -> mx.array | float:
    if not _this_thread.keeping:
        return number
    key = (number, x.shape)
    kept = _kept.get(key)
    if kept is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        kept = _kept[key] = mx.broadcast_to(mx.array(number, dtype=mx.float32), x.shape)
        mx.eval(kept)
    return kept
