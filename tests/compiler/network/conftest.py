"""Networks made with coremltools' NeuralNetworkBuilder, rebuilt as MIL and run through the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from coremltools.models.datatypes import Array
from coremltools.models.neural_network import NeuralNetworkBuilder

from app.compiler.network import mil_function
from app.compiler.reading.legalise import translate


@pytest.fixture(scope="session")
def network() -> Callable[..., Any]:
    """network(add, *inputs, rank_5=False, outputs=("y",)): a specification whose layers `add(builder)` makes.

    Its inputs are called x0, x1, … and are arrays of the given shapes, under the older shape rules if `rank_5`.
    """

    def make(
        add: Callable[..., Any], *shapes: tuple[int, ...], rank_5: bool = False, outputs: tuple[str, ...] = ("y",)
    ) -> Any:
        builder = NeuralNetworkBuilder(
            [(f"x{place}", Array(*shape)) for place, shape in enumerate(shapes)],
            [(name, None) for name in outputs],
            disable_rank5_shape_mapping=not rank_5,
            use_float_arraytype=True,
        )
        add(builder)
        return builder.spec

    return make


@pytest.fixture(scope="session")
def run_network(run_program) -> Callable[..., list[np.ndarray]]:
    """run_network(specification, *inputs): its outputs; each step is checked against what MIL declares."""

    def run(specification: Any, *inputs: np.ndarray) -> list[np.ndarray]:
        return run_program(translate(mil_function(specification, "network")), *inputs)

    return run


@pytest.fixture(scope="session")
def run_layers(network, run_network) -> Callable[..., np.ndarray]:
    """run_layers(add, *inputs, rank_5=False): the output y of a network as `network` makes it."""

    def run(add: Callable[..., Any], *inputs: np.ndarray, rank_5: bool = False) -> np.ndarray:
        (result,) = run_network(network(add, *(x.shape for x in inputs), rank_5=rank_5), *inputs)
        return result

    return run


@pytest.fixture(scope="session")
def check_layers(run_layers) -> Callable[..., None]:
    """check_layers(add, expected, *inputs, rank_5=False): y is `expected(*inputs in float64)`."""

    def check(
        add: Callable[..., Any],
        expected: Callable[..., Any],
        *inputs: np.ndarray,
        rank_5: bool = False,
        rtol: float = 1e-5,
    ) -> None:
        given = run_layers(add, *inputs, rank_5=rank_5)
        wanted = np.asarray(expected(*(x.astype(np.float64) for x in inputs)))
        assert given.shape == wanted.shape
        size = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(given, wanted, rtol=rtol, atol=rtol * size)

    return check


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """noise(*shape, seed=0): standard normal float32."""

    def make(*shape: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)

    return make
