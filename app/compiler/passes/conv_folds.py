"""What stands before or after a convolution and can be taken into it without changing a result.

Weights are folded in float64 from the stored values and rounded once, to the type that the program computes in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.compiler.padding import flat, resolve
from app.compiler.passes.cleanup import drop_unread, with_renamed_outputs
from app.compiler.program import Argument, Operation, Program, Value


def merge_pads(program: Program) -> Program:
    """Before: conv(pad(x, zeros)). After: conv(x) with that padding as its own."""
    makers, readers = program.makers(), program.readers()
    operations = []
    for operation in program.operations:
        x = operation.value("x")
        border = makers.get(x.name) if x and is_plain(operation) and readers[x.name] == 1 else None
        if border and border.kind == "pad" and (pads := _spatial_zeros(border)) is not None:
            own = padding_of(operation)
            both = tuple((a + c, b + d) for (a, b), (c, d) in zip(own, pads, strict=True))
            operation = operation.with_inputs(x=border.inputs["x"], pad_type="custom", pad=np.array(flat(both)))
        operations.append(operation)
    return drop_unread(replace(program, operations=tuple(operations)))


def fold_scales(program: Program) -> Program:
    """Before: conv, then batch_norm, or mul, add, sub of a constant a channel. After: conv, new weights and bias.

    Only where the type that the convolution computes in holds them: a scale of 1e-6 would leave few digits of a half.
    """
    operations: list[Operation] = []
    renamed: dict[str, Argument] = {}
    readers = program.readers()
    made: dict[str, int] = {}
    for operation in program.operations:
        operation = operation.reading(renamed)
        x = operation.value("x")
        place = made.get(x.name) if x and readers[x.name] == 1 else None
        with np.errstate(all="ignore"):  # what comes of it is looked at instead
            affine = _affine(operation) if place is not None else None
            scaled = _scaled(operations[place], *affine) if place is not None and affine else None
        if x and place is not None and scaled is not None and _holds(scaled):
            operations[place] = scaled
            renamed[operation.output.name] = x
            readers[x.name] = readers.get(operation.output.name, 0)
            continue
        if is_plain(operation):
            made[operation.output.name] = len(operations)
        operations.append(operation)
    return with_renamed_outputs(replace(program, operations=tuple(operations)), renamed)


def fold_input_scaling(program: Program) -> Program:
    """Before: conv(pixels * a + b), a and b one number for all. After: conv'(pixels), bordered with the value -b / a.

    A convolution pads with zeros *after* the scaling; the pixel value that scales to zero is -b / a, so the border gets
    that value and the result is the same to the last pixel. Only in float32: in half precision a weight times 1/255
    would lose digits.
    """
    makers, readers = program.makers(), program.readers()
    operations = list(program.operations)
    for place, conv in enumerate(program.operations):
        x = conv.value("x")
        if not x or x.dtype != "fp32" or not is_plain(conv):
            continue
        scale, offset, source = 1.0, 0.0, x
        while (maker := makers.get(source.name)) and readers[source.name] == 1 and (step := _scalar_affine(maker)):
            inner, *numbers = step
            scale, offset, source = scale * numbers[0], offset + scale * numbers[1], inner
        if source == x or not (maker and maker.kind == "image"):
            continue
        if scale == 0 or not np.isfinite([scale, offset, offset / scale]).all():
            continue
        operations[place : place + 1] = _on_raw_pixels(conv, source, scale, offset)
        break
    return drop_unread(replace(program, operations=tuple(operations)))


def padding_of(conv: Operation) -> tuple[tuple[int, int], ...]:
    """The explicit padding of a convolution with constant weights, in MIL's own layout."""
    x, weight = conv.value("x"), conv.constant("weight")
    assert x is not None
    assert weight is not None
    size = x.shape[2:]
    ones = (1,) * len(size)
    return resolve(
        str(conv.inputs.get("pad_type", "valid")),
        conv.numbers("pad"),
        size,
        weight.shape[2:],
        conv.numbers("strides", ones),
        conv.numbers("dilations", ones),
    )


def is_plain(conv: Operation) -> bool:
    """Whether it is a convolution of a value with constant weights."""
    known = conv.kind == "conv" and conv.value("x") and conv.constant("weight") is not None
    return bool(known) and conv.value("bias") is None


def _spatial_zeros(border: Operation) -> tuple[tuple[int, int], ...] | None:
    """The pairs of a pad that borders only space with zeros; None for any other."""
    amounts = border.numbers("pad")
    pairs = [(0, 0)] * (len(border.output.shape) - len(amounts) // 2)
    pairs += [(amounts[i], amounts[i + 1]) for i in range(0, len(amounts), 2)]
    value = border.constant("constant_val")
    zeros = border.inputs.get("mode", "constant") == "constant" and (value is None or not value.any())
    if not zeros or any(n < 0 for pair in pairs for n in pair) or pairs[:2] != [(0, 0), (0, 0)]:
        return None
    return tuple(pairs[2:])


def _affine(operation: Operation) -> tuple[np.ndarray, np.ndarray] | None:
    """Scale and offset a channel of an operation x -> scale * x + offset; None when it is another one."""
    x = operation.value("x")
    if len(operation.outputs) != 1 or x is None or operation.output.shape != x.shape:
        return None
    channels = operation.output.shape[1] if len(operation.output.shape) > 2 else 0
    one, zero = np.ones(channels), np.zeros(channels)
    if operation.kind == "batch_norm":
        given = {n: c.astype(np.float64) for n in operation.inputs if (c := operation.constant(n)) is not None}
        scale = given.get("gamma", one) / np.sqrt(given["variance"] + given.get("epsilon", np.float64(1e-5)))
        return scale, given.get("beta", zero) - given["mean"] * scale
    y = operation.constant("y")
    if operation.kind not in ("mul", "add", "sub", "real_div") or not channels or y is None:
        return None
    vector = _a_channel(y, operation.output.shape)
    if vector is None:
        return None
    match operation.kind:
        case "mul":
            return vector, zero
        case "real_div":
            return 1 / vector, zero
        case "add":
            return one, vector
        case _:
            return one, -vector


def _a_channel(constant: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """A constant that broadcasts to `shape` as one value a channel, in float64."""
    wide = constant.astype(np.float64).reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    if wide.size not in (1, shape[1]) or wide.shape[1] != wide.size:
        return None
    return np.broadcast_to(wide.reshape(-1), (shape[1],))


def _scaled(conv: Operation, scale: np.ndarray, offset: np.ndarray) -> Operation:
    weight = np.asarray(conv.inputs["weight"], np.float64)
    bias = np.asarray(conv.inputs.get("bias", np.zeros(len(weight))), np.float64)
    column = scale.reshape(-1, *(1,) * (weight.ndim - 1))
    return conv.with_inputs(weight=weight * column, bias=bias * scale + offset)


def _holds(conv: Operation) -> bool:
    """Whether its type has the new weights and bias in range, and of each output's largest weight all digits."""
    limits = np.finfo(np.float16 if conv.output.dtype == "fp16" else np.float32)
    weight, bias = np.asarray(conv.inputs["weight"]), np.asarray(conv.inputs["bias"])
    largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    in_range = np.all(largest <= limits.max) and np.all(np.abs(bias) <= limits.max)
    return bool(in_range and np.all((largest == 0) | (largest >= limits.smallest_normal)))


def _scalar_affine(operation: Operation) -> tuple[Value, float, float] | None:
    """Input, scale and offset of an operation that does the same to every element; None when it is another one."""
    x, y = operation.value("x"), operation.constant("y")
    if operation.kind not in ("mul", "add", "sub", "real_div") or x is None or y is None:
        return None
    if y.size != 1 or operation.output.shape != x.shape:
        return None
    number = y.astype(np.float64).item()
    scale = {"mul": number, "real_div": 1 / (number or np.inf)}.get(operation.kind, 1.0)
    return x, scale, {"add": number, "sub": -number}.get(operation.kind, 0.0)


def _on_raw_pixels(conv: Operation, pixels: Value, scale: float, offset: float) -> list[Operation]:
    """The border, if there is any padding, and the convolution that works on `pixels`."""
    weight = np.asarray(conv.inputs["weight"], np.float64)
    bias = np.asarray(conv.inputs.get("bias", np.zeros(len(weight))), np.float64)
    pads = padding_of(conv)
    steps = []
    if any(n for pair in pads for n in pair):
        shape = (*pixels.shape[:2], *(n + a + b for n, (a, b) in zip(pixels.shape[2:], pads, strict=True)))
        bordered = Value(f"{pixels.name} bordered", shape, pixels.dtype)
        amounts = np.array(flat(((0, 0), (0, 0), *pads)))
        steps.append(Operation("pad", {"x": pixels, "pad": amounts, "constant_val": -offset / scale}, (bordered,)))
        pixels = bordered
    folded = conv.with_inputs(
        x=pixels,
        weight=weight * scale,
        bias=bias + offset * weight.sum(axis=tuple(range(1, weight.ndim))),
        pad_type="valid",
    )
    return [*steps, folded]
