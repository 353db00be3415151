"""A program written for one image, rewritten for N."""

from __future__ import annotations

from dataclasses import replace

from app.compiler.passes.batch.many import Many
from app.compiler.passes.batch.rules import place
from app.compiler.program import Pass, Program


def for_batch(batch: int) -> Pass:
    """Before: a program for one image. After: the same for `batch` images, every declared shape included.

    Each input's first axis is `batch` times as long, the images one after the other; so is each output's (an output
    without axes gets one). The walk knows of every value where it holds the images (`Seat`); the rules of
    batch_rules.py prove for each operation that it keeps them apart. An operation that has no rule runs once an image.
    Since the shapes follow, build.py checks each result against them as it does for one image.
    """

    def run(program: Program) -> Program:
        if batch == 1:
            return program
        many = Many(batch)
        inputs = tuple(many.begin(value) for value in program.inputs)
        for operation in program.operations:
            if any(many.seat(value) for value in operation.values()):
                place(operation, many)
            else:
                many.operations.append(operation)
        outputs = tuple((name, many.in_front(value)) for name, value in program.outputs)
        return replace(program, inputs=inputs, operations=tuple(many.operations), outputs=outputs)

    return run
