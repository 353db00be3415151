"""MIL's type words and MLX's dtypes."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import NotCovered

Wide = mx.array
"""Annotation of a parameter whose constants stay float32 whatever the operation computes in: coordinates, variances."""

_DTYPES: dict[str, mx.Dtype] = {
    "fp16": mx.float16,
    "fp32": mx.float32,
    "bf16": mx.bfloat16,
    "int8": mx.int8,
    "int16": mx.int16,
    "int32": mx.int32,
    "int64": mx.int64,
    "uint8": mx.uint8,
    "uint16": mx.uint16,
    "uint32": mx.uint32,
    "bool": mx.bool_,
}


def mlx_dtype(name: str) -> mx.Dtype:
    """The dtype that MIL calls `name`. Raises NotCovered (fp64, complex, strings)."""
    try:
        return _DTYPES[name]
    except KeyError:
        raise NotCovered(f"type {name}") from None
