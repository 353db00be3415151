"""The way in: pixels to the tensor that the program declares. Not a MIL op; `passes/declared.py` makes it."""

from __future__ import annotations

import mlx.core as mx

from app.compiler.ops.registry import lowers
from app.compiler.ops.types import mlx_dtype


@lowers("image")
def image(x: mx.array, *, colour: str, dtype: str, channels_last: bool = False) -> mx.array:
    """Pixels, N×H×W×3 in RGB order or N×H×W×1, as the same numbers with channels and axes as the model wants them."""
    if colour == "BGR":
        x = x[..., ::-1]
    return (x if channels_last else x.transpose(0, 3, 1, 2)).astype(mlx_dtype(dtype))
