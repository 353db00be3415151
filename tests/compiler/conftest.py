"""OpenBLAS before MLX, and a way to run single MIL operations through the compiler."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from app.machine.blas import load_openblas

load_openblas()
logging.getLogger("coremltools").setLevel(logging.ERROR)

import coremltools as ct  # noqa: E402
import mlx.core as mx  # noqa: E402
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402
from coremltools.converters.mil.mil import types  # noqa: E402

from app.compiler import ops  # noqa: E402, F401  fills the table of lowerings
from app.compiler.build import build  # noqa: E402
from app.compiler.program import Program  # noqa: E402
from app.compiler.reading.legalise import translate  # noqa: E402

settings.register_profile("compiler", max_examples=15, deadline=None, derandomize=True)
settings.load_profile("compiler")

_MIL_TYPES = {
    "float32": types.fp32,
    "float16": types.fp16,
    "int8": types.int8,
    "uint8": types.uint8,
    "int16": types.int16,
    "uint16": types.uint16,
    "int32": types.int32,
    "bool": types.bool,
}


@pytest.fixture(autouse=True, scope="session")
def on_the_cpu():
    mx.set_default_device(mx.cpu)


def mil_program(body: Callable, *inputs: np.ndarray, opset: ct.target = ct.target.iOS17) -> Program:
    """A MIL program of these inputs, as `legalise` gives it. `body(*vars)` makes it with coremltools' builder."""
    specs = [mb.TensorSpec(shape=x.shape, dtype=_MIL_TYPES[x.dtype.name]) for x in inputs]
    names = [f"x{i}" for i in range(len(inputs))]
    source = {"body": body}
    exec(f"def program({', '.join(names)}): return body({', '.join(names)})", source)  # the builder reads the names
    made = mb.program(input_specs=specs, opset_version=opset)(source["program"])
    return translate(made.functions["main"])


@pytest.fixture(scope="session")
def program_of():
    return mil_program


@pytest.fixture(scope="session")
def run_program():
    """run_program(program, *inputs): its outputs as NumPy arrays; every step is checked against MIL's declaration."""

    def run(program: Program, *inputs: np.ndarray) -> list[np.ndarray]:
        results = build(program)(*map(mx.array, inputs))
        mx.eval(results)
        return [np.array(result) for result in results]

    return run


@pytest.fixture(scope="session")
def run_mil(run_program):
    """run_mil(body, *inputs): the one result of a MIL program made with coremltools' builder."""

    def run(body: Callable, *inputs: np.ndarray, opset: ct.target = ct.target.iOS17) -> np.ndarray:
        (result,) = run_program(mil_program(body, *inputs, opset=opset), *inputs)
        return result

    return run


@pytest.fixture(scope="session")
def check(run_mil):
    """check(body, expected, *inputs): the program gives what NumPy gives for the same inputs in float64.

    In float16 an error of a few units in the last place (2^-11) of the largest value that takes part is allowed.
    """

    def compare(
        body: Callable,
        expected: Callable,
        *inputs: np.ndarray,
        scale: float = 1.0,
        opset: ct.target = ct.target.iOS17,
    ) -> None:
        wide = [x.astype(np.float64) if np.issubdtype(x.dtype, np.floating) else x for x in inputs]
        wanted = np.asarray(expected(*wide))
        given = run_mil(body, *inputs, opset=opset)
        assert given.shape == wanted.shape
        if np.issubdtype(given.dtype, np.floating):
            unit = 2.0**-10 if inputs[0].dtype == np.float16 else 2.0**-18
            size = max(1.0, float(np.abs(wanted).max(initial=0)))
            np.testing.assert_allclose(given.astype(np.float64), wanted, rtol=unit * 2, atol=unit * 2 * size * scale)
        else:
            np.testing.assert_array_equal(given, wanted)

    return compare


@pytest.fixture
def converted(tmp_path):
    """converted(program, name="m", **options): a program of coremltools' builder through `ct.convert`, as a path."""

    def save(program: object, name: str = "m", target: object = ct.target.iOS16, **options: object) -> Path:
        model = ct.convert(program, minimum_deployment_target=target, skip_model_load=True, **options)
        path = tmp_path / f"{name}.mlpackage"
        model.save(str(path))
        return path

    return save


@pytest.fixture(scope="session")
def small_package(tmp_path_factory):
    """A classifier of 12 × 10 images with three labels, as a .mlpackage with a weight file."""
    weight = np.random.default_rng(0).standard_normal((32, 3, 3, 3)).astype(np.float32)
    head = np.random.default_rng(1).standard_normal((3, 32)).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 10, 12))], opset_version=ct.target.iOS16)
    def program(image):
        y = mb.mul(x=mb.sub(x=image, y=np.float32(127)), y=np.float32(1 / 128))
        y = mb.relu(x=mb.conv(x=y, weight=weight, pad_type="same", strides=[2, 2]))
        y = mb.reshape(x=mb.reduce_mean(x=y, axes=[2, 3], keep_dims=True), shape=[1, -1])
        return mb.softmax(x=mb.linear(x=y, weight=head), axis=1, name="scores")

    model = ct.convert(
        program,
        inputs=[ct.ImageType(name="image", shape=(1, 3, 10, 12))],
        classifier_config=ct.ClassifierConfig(["ant", "bee", "cat"]),
        minimum_deployment_target=ct.target.iOS16,
        skip_model_load=True,
    )
    model.user_defined_metadata["dyno.crop_fraction"] = "0.875"
    model.short_description = "A small classifier"
    path = tmp_path_factory.mktemp("models") / "small.mlpackage"
    model.save(str(path))
    return path
