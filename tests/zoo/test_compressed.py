"""Compressed weights become coremltools' own decompression, bit for bit, and the network with them answers the same."""

from __future__ import annotations

import numpy as np
import pytest

from app.compiler import compile_model
from app.compiler.program import Program
from app.compiler.reading.package import open_package
from app.compiler.reading.read import read_specification
from app.compiler.reading.translation import translated
from app.compiler.verify import noise, verify

pytestmark = [pytest.mark.mlx, pytest.mark.slow, pytest.mark.zoo]


def program(package) -> Program:
    return translated(open_package(package), None, (), lambda facts: None)[1]


def test_constants_are_those_of_coremltools(compressed):
    ours, theirs = program(compressed.package), program(compressed.expanded)
    assert [o.kind for o in ours.operations] == [o.kind for o in theirs.operations]
    compared = 0
    for one, other in zip(ours.operations, theirs.operations, strict=True):
        assert one.inputs.keys() == other.inputs.keys()
        for name, argument in other.inputs.items():
            if isinstance(argument, np.ndarray):
                given = one.inputs[name]
                assert isinstance(given, np.ndarray)
                assert given.dtype == argument.dtype
                assert given.shape == argument.shape
                assert given.tobytes() == argument.tobytes()
                compared += argument.size
    assert compared > 10_000


def test_the_file_really_is_compressed(compressed):
    kinds = stored_kinds(compressed.package)
    assert any(kind.startswith("constexpr_") for kind in kinds)
    assert not any(kind.startswith("constexpr_") for kind in stored_kinds(compressed.expanded))


def test_answers_are_those_of_the_expanded_network(compressed):
    one, other = compile_model(compressed.package), compile_model(compressed.expanded)
    arrays = noise(one.facts, seed=0)
    given, wanted = one(**arrays), other(**arrays)
    assert given.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_array_equal(given[name], wanted[name])


def test_float32_agrees_with_the_plain_program(compressed):
    assert verify(compressed.package, precision="fp32").agrees


def stored_kinds(package) -> set[str]:
    """The kinds of operations in the file."""
    specification = read_specification(open_package(package))
    blocks = specification.mlProgram.functions["main"].block_specializations.values()
    return {operation.type for block in blocks for operation in block.operations}
