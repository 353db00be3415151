"""The image input takes uint8 pixels."""

from __future__ import annotations

from dataclasses import replace

from app.compiler.facts import Colour
from app.compiler.program import Operation, Pass, Program, Value


def take_pixels(colour: Colour) -> Pass:
    """Before: x (float, 1×3×H×W) is the input. After: x = image(pixels), pixels (uint8, 1×H×W×3, RGB) is the input."""

    def run(program: Program) -> Program:
        (x,) = program.inputs
        batch, channels, height, width = x.shape
        pixels = Value(f"{x.name} pixels", (batch, height, width, channels), "uint8")
        image = Operation("image", {"x": pixels, "colour": colour, "dtype": x.dtype}, (x,))
        return replace(program, inputs=(pixels,), operations=(image, *program.operations))

    return run
