"""Every operation of the zoo whose value coremltools can infer with NumPy gives that value.

coremltools folds constants, and so has for many operations a second implementation, written by the authors of the
format. Here each operation is given what it reads in the running network, as constants.
"""

from __future__ import annotations

from typing import Any

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from app.compiler.build import build
from app.compiler.reading.legalise import translate
from app.compiler.reading.package import open_package
from app.compiler.reading.read import read_program, read_specification

pytestmark = [pytest.mark.mlx, pytest.mark.slow, pytest.mark.zoo]

LARGEST = 200_000
"""Elements of a result up to which it is compared; coremltools' own code is slow for more."""


def test_operations_give_what_coremltools_infers(network, note):
    package = open_package(network.folder / "fp32.mlpackage")
    function = read_program(package, read_specification(package), None)
    program = translate(function)
    (x,) = program.inputs
    values = {x.name: np.random.default_rng(0).uniform(-2, 2, x.shape).astype(np.float32)}

    def observe(operation: Any, results: tuple[mx.array, ...]) -> None:
        values.update({value.name: np.array(y) for value, y in zip(operation.outputs, results, strict=True)})

    mx.eval(build(program, observe)(mx.array(values[x.name])))
    compared = 0
    for op in function.operations:
        for var, wanted in inferred(op, values, ct.target[network.target]):
            given = values[var.name]
            assert given.shape == wanted.shape, (op.op_type, var.name)
            if np.issubdtype(given.dtype, np.floating):
                size = np.abs(wanted).max(initial=1e-6)
                np.testing.assert_allclose(
                    given, wanted, rtol=1e-4, atol=1e-5 * size, err_msg=f"{op.op_type} {var.name}"
                )
            else:
                np.testing.assert_array_equal(given, wanted, err_msg=f"{op.op_type} {var.name}")
            compared += 1
    note(network, inferred=compared)
    assert compared > 0


def inferred(op: Any, values: dict[str, np.ndarray], target: Any) -> list[tuple[Any, np.ndarray]]:
    """The operation's results with coremltools' values for them; none where it cannot infer any."""
    if op.op_type == "const" or any(np.prod(var.shape or ()) > LARGEST for var in op.outputs):
        return []
    if op.op_type == "concat" and op.interleave.val:
        # coremltools 9.0 infers a plain concatenation; PyTorch's answers bear ours out (ShuffleNet, test_zoo.py).
        return []
    arguments = {name: argument(one, values) for name, one in op.inputs.items() if one is not None and name != "name"}
    found: list[Any] = []

    def body(unused: Any) -> Any:
        made = getattr(mb, op.op_type)(**arguments)
        found.extend(made if isinstance(made, list | tuple) else [made])
        return unused

    with np.errstate(over="ignore"):
        mb.program(input_specs=[mb.TensorSpec(shape=(1,))], opset_version=target)(body)
    pairs = zip(op.outputs, found, strict=True)
    return [(var, np.asarray(one.val)) for var, one in pairs if one.val is not None]


def argument(var: Any, values: dict[str, np.ndarray]) -> Any:
    """What stands for an input: the constant, or the array of the running network."""
    if isinstance(var, list | tuple):
        return [argument(one, values) for one in var]
    given = values[var.name] if var.val is None else var.val
    # Some of coremltools' code takes no scalar of NumPy.
    return given.item() if isinstance(given, np.generic) else given
