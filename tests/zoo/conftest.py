"""Where the built zoo lies, and how an answer is compared with PyTorch's."""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.machine.blas import load_openblas

load_openblas()
logging.getLogger("coremltools").setLevel(logging.ERROR)

import mlx.core as mx  # noqa: E402

from app.compiler.reading.package import open_package  # noqa: E402
from app.compiler.reading.translation import translated  # noqa: E402

HERE = Path(__file__).parent
ZOO = HERE.parent.parent / ".zoo"
NETWORKS = {one["name"]: one for one in tomllib.loads((HERE / "networks.toml").read_text("utf-8"))["network"]}


@dataclass(frozen=True)
class Difference:
    """How far an answer is from PyTorch's. The smallest and largest over pictures and outputs."""

    cosine: float
    """Of logits without their mean, which softmax ignores; of values as they are."""
    largest: float
    """Between probabilities (softmax of logits); between values, as a part of the largest magnitude."""
    other_best: int
    """Pictures whose best class is another one, although the two best logits of PyTorch are further apart than rounding
    moves them: by more than a twentieth of the logits' deviation."""


@dataclass(frozen=True)
class Network:
    """One entry of networks.toml and the folder with what was built for it."""

    name: str
    answers: str
    input: str
    target: str
    folder: Path

    @property
    def port(self) -> str:
        """Name of the input."""
        return "x" if self.input == "array" else "image"

    def reference(self, precision: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The input, and PyTorch's outputs by name with the weights of fp32.mlpackage or fp16.mlpackage."""
        with np.load(self.folder / "reference.npz") as kept:
            outputs = {key.partition("/")[2]: kept[key] for key in kept if key.startswith(f"{precision}/")}
            return kept[self.port], outputs

    def operations(self) -> list[str]:
        """The kind of every operation of fp32.mlpackage, constants left out."""
        package = open_package(self.folder / "fp32.mlpackage")
        return [operation.kind for operation in translated(package, None, (), lambda facts: None)[1].operations]

    def difference(self, given: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> Difference:
        """How far `given` is from `wanted`, whose names must be the same."""
        assert given.keys() == wanted.keys()
        cosines, distances, other_best = [1.0], [0.0], 0
        for name, reference in wanted.items():
            assert given[name].shape == reference.shape
            assert np.isfinite(given[name]).all()
            for a, b in zip(given[name].astype(np.float64), reference.astype(np.float64), strict=True):
                one, other = a.reshape(-1), b.reshape(-1)
                if self.answers == "logits":
                    distances.append(np.abs(_softmax(one) - _softmax(other)).max())
                    one, other = one - one.mean(), other - other.mean()
                    second, best = np.sort(other)[-2:]
                    other_best += bool(best - second > other.std() / 20 and one.argmax() != other.argmax())
                else:
                    distances.append(np.abs(one - other).max() / np.abs(other).max())
                cosines.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        return Difference(float(min(cosines)), float(max(distances)), other_best)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@dataclass(frozen=True)
class Compressed:
    """One way to compress: the package, and coremltools' decompression of it."""

    name: str
    package: Path
    expanded: Path


def _compressed() -> list[Compressed]:
    """What compress.py wrote, or nothing."""
    try:
        folder = ZOO / json.loads((ZOO / "compressed.json").read_text("utf-8"))["folder"]
    except FileNotFoundError:
        return []
    packages = sorted(path for path in folder.iterdir() if not path.stem.endswith("-expanded"))
    return [Compressed(path.stem, path, path.with_stem(f"{path.stem}-expanded")) for path in packages]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`network` stands for all of them, `layered` for those that exist as a NeuralNetwork file too."""
    for fixture, names in {
        "network": list(NETWORKS),
        "layered": [name for name, entry in NETWORKS.items() if entry.get("neuralnetwork")],
    }.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names, indirect=True)
    if "compressed" in metafunc.fixturenames:
        metafunc.parametrize("compressed", _compressed() or [None], ids=lambda one: one.name if one else "none")


@pytest.fixture(scope="session")
def index() -> dict[str, str]:
    """Which folder holds each network; the build step writes it."""
    try:
        return json.loads((ZOO / "index.json").read_text("utf-8"))
    except FileNotFoundError:
        pytest.skip("the zoo is not built: make zoo")


@pytest.fixture(scope="session")
def network(request: pytest.FixtureRequest, index: dict[str, str]) -> Network:
    """The network of this test."""
    entry = NETWORKS[request.param]
    if request.param not in index:
        pytest.fail(f"{request.param} is not built: make zoo")
    answers, port, target = entry.get("answers", "logits"), entry.get("input", "image"), entry.get("target", "iOS17")
    return Network(request.param, answers, port, target, ZOO / index[request.param])


layered = network


@pytest.fixture(autouse=True)
def built(request: pytest.FixtureRequest) -> None:
    """Skip where there is nothing to test."""
    if "compressed" in request.fixturenames and request.getfixturevalue("compressed") is None:
        pytest.skip("the compressed networks are not built: make zoo")


@pytest.fixture(scope="session", autouse=True)
def on_the_cpu() -> Iterator[None]:
    """Nothing here depends on a graphics card."""
    mx.set_default_device(mx.cpu)
    return


@pytest.fixture(scope="session")
def note():
    """note(network, **facts): keep what was measured beside the packages; table.py makes its table of them."""

    def keep(network: Network, **facts: object) -> None:
        file = network.folder / "measured.json"
        known = json.loads(file.read_text("utf-8")) if file.exists() else {}
        file.write_text(json.dumps({**known, **facts}, indent=1), "utf-8")

    return keep
