"""In which forms a file stores its weights, from the types that it declares; no weight is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from app.compiler.inspection.operations import networks
from app.compiler.inspection.report import StoredWeights

_FLOAT_BITS = {10: 16, 11: 32, 12: 64, 13: 16, 40: 8, 41: 8}
_WHOLE_BITS = {1: 8, 21: 8, 22: 16, 23: 32, 24: 64, 25: 4, 31: 8, 32: 16, 33: 32, 34: 64}
_WHOLE_BITS |= {35: 4, 36: 2, 37: 1, 38: 6, 39: 3}
"""MIL.proto, DataType: bits of a number as a file stores it."""
_FLOAT_NAMES = {10: "float16", 11: "float32", 12: "float64", 13: "bfloat16", 40: "float8", 41: "float8"}


def stored_weights(specification: Any, function: str | None) -> tuple[StoredWeights, ...]:
    """One row for each form in which the networks of the file store weights, the largest first.

    A weight is a constant of more than one float; smaller ones are attributes. specification: a `Model` message.
    Raises ValueError or KeyError where constants contradict themselves.
    """
    found: list[_Weight] = []
    for model in networks(specification):
        kind = model.WhichOneof("Type") or ""
        if kind == "mlProgram":
            functions = model.mlProgram.functions
            for name in [function] if function and function in functions else functions:
                for block in functions[name].block_specializations.values():
                    found += _of_program(block)
        elif kind.startswith("neuralNetwork"):
            for layer in getattr(model, kind).layers:
                found += _of_layer(layer)
    return _rows(found)


@dataclass(frozen=True)
class _Weight:
    form: str
    parameters: int
    stored_bits: int


def _rows(weights: Iterable[_Weight]) -> tuple[StoredWeights, ...]:
    by_form: dict[str, list[_Weight]] = {}
    for one in weights:
        by_form.setdefault(one.form, []).append(one)
    rows = [
        StoredWeights(form, len(many), sum(w.parameters for w in many), sum(w.stored_bits for w in many) // 8)
        for form, many in by_form.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.stored_bytes, reverse=True))


# --- ML Programs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tensor:
    """A declared tensor: its data type (DataType's number) and shape."""

    dtype: int
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def bits(self) -> int:
        return self.elements * (_FLOAT_BITS | _WHOLE_BITS).get(self.dtype, 0)


def _tensor(value_type: Any) -> _Tensor:
    tensor = value_type.tensorType
    return _Tensor(tensor.dataType, tuple(int(d.constant.size) for d in tensor.dimensions))


def _of_program(block: Any) -> Iterator[_Weight]:
    # An operation that gives nothing contradicts its kind, which is told when the program is read.
    operations = [operation for operation in _operations(block) if operation.outputs]
    makers = {output.name: op for op in operations for output in op.outputs}
    inside = {name for op in operations if _is_compressed(op) for _, name, _ in _operands(op) if name}
    for op in operations:
        if op.type == "const" and op.outputs[0].name not in inside:
            yield from _plain(_tensor(op.outputs[0].type))
        elif _is_compressed(op) and not any(output.name in inside for output in op.outputs):
            form, bits = _form_and_bits(op, makers)
            yield _Weight(form, _tensor(op.outputs[-1].type).elements, bits)
        elif not _is_compressed(op):
            # A constant may stand where it is used, without an operation of its own.
            yield from (w for _, name, tensor in _operands(op) if not name and tensor for w in _plain(tensor))


def _operations(block: Any) -> Iterator[Any]:
    waiting = [block]
    while waiting:
        for operation in waiting.pop().operations:
            yield operation
            waiting.extend(operation.blocks)


def _plain(tensor: _Tensor) -> Iterator[_Weight]:
    if tensor.dtype in _FLOAT_BITS and tensor.elements > 1:
        yield _Weight(_FLOAT_NAMES[tensor.dtype], tensor.elements, tensor.bits)


def _is_compressed(operation: Any) -> bool:
    return bool(operation.type.startswith("constexpr_"))


def _operands(operation: Any) -> Iterator[tuple[str, str | None, _Tensor | None]]:
    """Parameter, name of the value that is bound to it, or the type of the constant that stands there."""
    for parameter, argument in operation.inputs.items():
        for binding in argument.arguments:
            if binding.WhichOneof("binding") == "name":
                yield parameter, binding.name, None
            else:
                yield parameter, None, _tensor(binding.value.type)
    for parameter, value in operation.attributes.items():
        if parameter != "name" and operation.type != "const":
            yield parameter, None, _tensor(value.type)


_NESTED = 4
"""Compressions inside each other; coremltools writes up to three (sparse, palettized, quantized)."""


def _form_and_bits(operation: Any, makers: dict[str, Any], depth: int = 0) -> tuple[str, int]:
    """The form of what a constexpr operation gives, and the bits of all that it is made from. Raises ValueError."""
    if depth > _NESTED:
        raise ValueError("compressed constants that are made of each other")
    forms, bits, tensors = [], 0, {}
    for parameter, name, tensor in _operands(operation):
        maker = makers.get(name or "")
        if maker is not None and _is_compressed(maker):
            form, more = _form_and_bits(maker, makers, depth + 1)
            # Both outputs of one operation (mask and numbers) may be read here: it counts once.
            if form not in forms:
                forms.append(form)
                bits += more
            tensor = _output(maker, name)
        else:
            tensor = tensor or (_output(maker, name) if maker is not None else None)
            bits += tensor.bits if tensor else 0
        if tensor:
            tensors[parameter] = tensor
    own = _FORMS.get(operation.type, lambda _: operation.type)(tensors)
    return " + ".join(dict.fromkeys([part for form in [own, *forms] for part in form.split(" + ") if part])), bits


def _output(operation: Any, name: str | None) -> _Tensor | None:
    return next((_tensor(output.type) for output in operation.outputs if output.name == name), None)


def _palettized(tensors: dict[str, _Tensor]) -> str:
    lut = tensors["lut"]
    if len(lut.shape) < 2:
        return f"palettized {(lut.elements - 1).bit_length()} bit"
    bits, vector = (lut.shape[-2] - 1).bit_length(), lut.shape[-1]
    return f"palettized {bits} bit" + (f" (vectors of {vector})" if vector > 1 else "")


def _linear(tensors: dict[str, _Tensor]) -> str:
    data = next(tensors[key] for key in ("quantized_data", "data", "nonzero_data") if key in tensors)
    return f"linear {(_WHOLE_BITS | _FLOAT_BITS).get(data.dtype, 8)} bit"


_FORMS = {
    "constexpr_lut_to_dense": _palettized,
    "constexpr_lut_to_sparse": _palettized,
    "constexpr_affine_dequantize": _linear,
    "constexpr_blockwise_shift_scale": lambda tensors: _linear(tensors) + (" (blocks)" if _in_blocks(tensors) else ""),
    "constexpr_sparse_blockwise_shift_scale": _linear,
    "constexpr_sparse_to_dense": lambda _: "sparse",
    "constexpr_cast": lambda tensors: _FLOAT_NAMES.get(tensors["source_val"].dtype, "float16"),
}


def _in_blocks(tensors: dict[str, _Tensor]) -> bool:
    """Whether more than one axis of the weights is cut into blocks; one axis alone is "per channel"."""
    scale = tensors.get("scale")
    return scale is not None and sum(size > 1 for size in scale.shape) > 1


# --- NeuralNetwork files ---------------------------------------------------------------------------------------------


def _of_layer(message: Any) -> Iterator[_Weight]:
    """Every WeightParams below a layer."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for one in value if field.is_repeated else [value]:
            if field.message_type.name == "WeightParams":
                yield from _of_weight_params(one)
            elif field.message_type.GetOptions().map_entry is False:
                yield from _of_layer(one)


def _of_weight_params(weights: Any) -> Iterator[_Weight]:
    if weights.floatValue:
        yield _Weight("float32", len(weights.floatValue), 32 * len(weights.floatValue))
    elif weights.float16Value:
        yield _Weight("float16", len(weights.float16Value) // 2, 8 * len(weights.float16Value))
    elif weights.rawValue or weights.int8RawValue:
        raw, quantization = weights.rawValue or weights.int8RawValue, weights.quantization
        bits = int(quantization.numberOfBits) or 8
        linear, table = quantization.linearQuantization, quantization.lookupTableQuantization
        beside = len(linear.scale) + len(linear.bias) + len(table.floatValue)
        word = "palettized" if table.floatValue else "linear"
        yield _Weight(f"{word} {bits} bit", 8 * len(raw) // bits, 8 * len(raw) + 32 * beside)
