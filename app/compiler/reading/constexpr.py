"""What compressed constants expand to: the `constexpr_*` operations of iOS 16 and 18, and `dequantize` of constants.

Equal to coremltools' own decompression bit for bit (its code is called wherever that does), whatever they are nested
in: a sparse tensor of palette entries that are quantized themselves, in blocks. Written here is what coremltools does
with too much memory: looking up 8-bit palettes, it copies the table for every weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def is_expanded(op: Any) -> bool:
    """Whether a pymil operation stands for constants, so that `expanded` has what it gives."""
    if op.op_type == "dequantize":
        return bool(op.can_materialize_val())
    return bool(op.op_type.startswith("constexpr_"))


def expanded(var: Any) -> np.ndarray:
    """The value of a constant variable, in the type that the file gives it once it is expanded."""
    if var.val is not None:
        return np.asarray(var.val)
    results = _expand(var.op)
    return results[[one.name for one in var.op.outputs].index(var.name)]


def _expand(op: Any) -> tuple[np.ndarray, ...]:
    """What the operation gives, one array an output."""
    if op.op_type == "dequantize":
        return (op.materialized_val_inference(),)
    given = {name: expanded(var) for name, var in op.inputs.items() if var is not None}
    match op.op_type:
        case "constexpr_cast":
            return (given["source_val"].astype(np.float32),)
        case "constexpr_affine_dequantize":
            axis = int(given["axis"])
            return (op.decompress(given["quantized_data"], given["zero_point"], given["scale"], axis),)
        case "constexpr_blockwise_shift_scale":
            return (op.decompress(given["data"], given["scale"], given.get("offset")),)
        case "constexpr_lut_to_dense" if "shape" in given:
            return (_packed_lut(op, given["lut"], given["indices"], given["shape"]),)
        case "constexpr_lut_to_dense":
            return (_looked_up(given["indices"], given["lut"], given.get("vector_axis")),)
        case "constexpr_sparse_to_dense" if "shape" in given:
            return (op.decompress(given["nonzero_data"], given["mask"], given["shape"]),)
        case "constexpr_sparse_to_dense":
            return (op.decompress(given["nonzero_data"], given["mask"]),)
        case "constexpr_lut_to_sparse":
            return _sparse_lut(
                given["indices_mask"], given["indices_nonzero_data"], given["lut"], given.get("vector_axis")
            )
        case "constexpr_sparse_blockwise_shift_scale":
            offset = given.get("offset")
            return op.decompress(given["data_mask"], given["nonzero_data"], given["scale"], offset)
    # A kind that coremltools knows and this list does not yet: its own way.
    result = op.materialized_val_inference()
    return result if isinstance(result, tuple) else (result,)


def _packed_lut(op: Any, lut: np.ndarray, indices: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """A palette of iOS 16; `indices` are packed bits, the least significant first, row-major."""
    bits = int(np.log2(lut.size))
    if 8 % bits:
        return op.decompress(lut, indices, shape)
    packed = indices.view(np.uint8)[:, None] >> np.arange(0, 8, bits, dtype=np.uint8)
    numbers = (packed & np.uint8(2**bits - 1)).reshape(-1)[: int(np.prod(shape))]
    return lut[numbers].reshape(shape)


def _looked_up(indices: np.ndarray, lut: np.ndarray, vector_axis: np.ndarray | None) -> np.ndarray:
    """A palette of iOS 18. lut: for every axis of `indices` the number of blocks, then entries, then vector length.

    An entry longer than 1 lies along `vector_axis` of the result.
    """
    rank, vector = indices.ndim, lut.shape[-1]
    blocks = []
    for axis, (size, count) in enumerate(zip(indices.shape, lut.shape[:rank], strict=True)):
        shape = [1] * rank
        shape[axis] = size
        blocks.append((np.arange(size) // (size // count)).reshape(shape))
    entries = lut[(*blocks, indices.astype(np.uint8))]
    if vector == 1:
        return entries[..., 0]
    assert vector_axis is not None, "the loader refuses vectors without an axis"
    axis = int(vector_axis) % rank
    result = list(indices.shape)
    result[axis] *= vector
    return np.moveaxis(entries, -1, axis + 1).reshape(result)


def _sparse_lut(
    mask: np.ndarray, nonzero: np.ndarray, lut: np.ndarray, vector_axis: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mask and the remaining values of a sparse tensor of palette entries."""
    indices = np.zeros(mask.shape, np.uint8)
    indices[mask != 0] = nonzero
    dense = _looked_up(indices, lut, vector_axis)
    if lut.shape[-1] > 1:
        assert vector_axis is not None, "the loader refuses vectors without an axis"
        mask = np.repeat(mask, lut.shape[-1], axis=int(vector_axis))
    return mask, dense[mask != 0].reshape(-1)
