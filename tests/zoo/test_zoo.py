"""Whole networks of every family give PyTorch's answers.

The weights of both sides are the same numbers: those of fp32.mlpackage as they are, those of fp16.mlpackage rounded to
float16 after batch norms were folded into convolutions. (Where a network standardises its weights, coremltools does so
before it rounds and PyTorch after, so that a difference of some roundings is left even when both compute in float32.)
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

from app.compiler import compile_model
from app.compiler.build import build
from app.compiler.model import CompiledModel
from app.compiler.passes import passes_at, passes_for
from app.compiler.reading.package import open_package
from app.compiler.reading.translation import translated
from app.compiler.verify import verify

pytestmark = [pytest.mark.mlx, pytest.mark.slow, pytest.mark.zoo]


def one_by_one(model: CompiledModel, port: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """What the model gives for each of the pictures alone."""
    runs = [model(**{port: x[i : i + 1]}) for i in range(len(x))]
    return {output.name: np.concatenate([run[output.name] for run in runs]) for output in model.outputs}


def test_float32_package(network, note):
    model = compile_model(network.folder / "fp32.mlpackage")
    x, wanted = network.reference("fp32")
    singles = one_by_one(model, network.port, x)
    found = network.difference(singles, wanted)
    together = model(**{network.port: x})
    batch = network.difference({name: together[name] for name in singles}, singles)
    kinds = network.operations()
    note(network, operations=len(kinds), kinds=len(set(kinds)))
    note(network, cosine_fp32=found.cosine, largest_fp32=found.largest)
    assert found.cosine >= 0.99999
    assert found.largest <= 1e-3
    assert found.other_best == 0
    assert batch.cosine >= 0.999999
    assert batch.largest <= 1e-4


def test_float16_package(network, note):
    x, wanted = network.reference("fp16")
    found = network.difference(one_by_one(compile_model(network.folder / "fp16.mlpackage"), network.port, x), wanted)
    note(network, cosine_fp16=found.cosine, largest_fp16=found.largest)
    assert found.cosine >= 0.999
    assert found.other_best == 0


def test_float16_package_in_float32(network):
    x, wanted = network.reference("fp16")
    model = compile_model(network.folder / "fp16.mlpackage", precision="fp32")
    found = network.difference(one_by_one(model, network.port, x), wanted)
    assert found.cosine >= 0.9999
    assert found.other_best == 0


def test_program_for_a_gpu_run_on_the_cpu(network):
    """Its passes, layout and batch of three; what they make runs anywhere."""
    x, wanted = network.reference("fp32")
    program = translated(open_package(network.folder / "fp32.mlpackage"), None, (), lambda facts: None)[1]
    for one in (*passes_for("stored", "gpu"), *passes_at(len(x), "gpu")):
        program = one(program)
    results = build(program)(mx.array(x))
    given = {name: np.array(y) for (name, _), y in zip(program.outputs, results, strict=True)}
    found = network.difference(given, wanted)
    assert found.cosine >= 0.99999
    assert found.largest <= 1e-3
    assert found.other_best == 0


def test_neural_network(layered, note):
    x, wanted = layered.reference("fp32")
    model = compile_model(layered.folder / "network.mlmodel", precision="fp32")
    found = layered.difference(one_by_one(model, layered.port, x), wanted)
    note(layered, cosine_layers=found.cosine, largest_layers=found.largest)
    assert found.cosine >= 0.99999
    assert found.largest <= 1e-3
    assert found.other_best == 0


def test_verification_takes_rounding_for_what_it_is(layered):
    for file, precision in (("network.mlmodel", "fp16"), ("fp32.mlpackage", "bf16"), ("fp16.mlpackage", "stored")):
        assert verify(layered.folder / file, precision=precision).agrees
