"""Build the zoo: every network of networks.toml as Core ML packages, beside PyTorch's answers.

    .venv-models/bin/python tests/zoo/build.py [NAME…] [--jobs 2]
    .venv-models/bin/python tests/zoo/build.py --benchmark FOLDER

`make zoo` runs it. What was built lies in .zoo/NAME-KEY, where KEY stands for everything that it depends on, and is not
built again; .zoo/index.json names the folders and what could not be converted, and why.

    fp32.mlpackage  fp16.mlpackage   the same network, converted to compute in either type
    network.mlmodel                  as a NeuralNetwork, where networks.toml asks for it
    reference.npz                    pixels or array, and what PyTorch gives for it in float32: fp32/NAME with the
                                     weights as they are, fp16/NAME with those of fp16.mlpackage
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import sys
import time
import tomllib
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before the imports below: all three would fill the screen with progress bars and notes on what exists on macOS alone.
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
os.environ["TQDM_DISABLE"] = "1"

import coremltools as ct  # noqa: E402
import networks  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from coremltools.converters.mil import Builder as mb  # noqa: E402
from coremltools.converters.mil import register_torch_op  # noqa: E402
from networks import Recipe  # noqa: E402


@register_torch_op
def addcmul(context: Any, node: Any) -> None:
    """x + value * y * z, which coremltools 9.0 does not know."""
    x, y, z, value = (context[name] for name in node.inputs)
    product = mb.mul(x=mb.mul(x=y, y=z), y=np.float32(value.val))
    context.add(mb.add(x=x, y=product, name=node.name))


HERE = Path(__file__).parent
ZOO = HERE.parent.parent / ".zoo"
SOURCES = ("build.py", "networks.py")
PACKAGES = ("coremltools", "numpy", "timm", "torch", "torchvision", "transformers")
PICTURES = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="only these networks (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument("--benchmark", type=Path, metavar="FOLDER", help="write the benchmark's networks there instead")
    arguments = parser.parse_args()
    if arguments.benchmark:
        import benchmark_networks

        benchmark_networks.write(arguments.benchmark)
        return 0
    entries = tomllib.loads((HERE / "networks.toml").read_text(encoding="utf-8"))["network"]
    recipes = [Recipe(**entry) for entry in entries]
    if unknown := set(arguments.names) - {recipe.name for recipe in recipes}:
        parser.error(f"networks.toml has no {', '.join(sorted(unknown))}")
    asked = [recipe for recipe in recipes if not arguments.names or recipe.name in arguments.names]
    ZOO.mkdir(exist_ok=True)
    _forget_others(recipes)
    _write_index(recipes)
    failed = _build_all([recipe for recipe in asked if not _finished(recipe)], recipes, arguments.jobs)
    return 1 if failed else 0


def _build_all(recipes: list[Recipe], every: list[Recipe], jobs: int) -> int:
    """Build in fresh processes, each of which imports the frameworks once. Returns how many failed."""
    failed = 0
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(build, recipe): recipe for recipe in recipes}
        for number, done in enumerate(as_completed(running), 1):
            name = running[done].name
            try:
                said = f"{done.result():.1f} s"
                _write_index(every)
            except Exception as error:  # whatever a framework raises; the others go on
                failed += 1
                said = f"FAILED: {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
            print(f"{number}/{len(recipes)} {name}: {said}", flush=True)
    return failed


def build(recipe: Recipe) -> float:
    """Write the folder of one network; returns the seconds that it took."""
    torch.set_num_threads(1)
    started = time.monotonic()
    folder = _folder(recipe)
    partial = folder.with_suffix(".partial")
    for old in ZOO.glob(f"{recipe.name}-????????????*"):
        shutil.rmtree(old)
    partial.mkdir()
    exact = networks.network(recipe)
    rounded = networks.rounded(exact, recipe)
    x = networks.inputs(recipe, PICTURES, seed=7)
    names = _output_names(exact, x)
    kept = {"image": networks.images(recipe, PICTURES, seed=7)} if recipe.input == "image" else {"x": x}
    for precision, module in (("fp32", exact), ("fp16", rounded)):
        # Networks with a position for every place of the image trace to one batch size alone.
        answers = [module(torch.from_numpy(one[None])) for one in x]
        kept |= {
            f"{precision}/{name}": torch.cat(parts).numpy()
            for name, parts in zip(names, zip(*answers, strict=True), strict=True)
        }
    np.savez_compressed(partial / "reference.npz", **kept)
    for precision, module in (("fp32", exact), ("fp16", rounded)):
        traced = torch.jit.trace(module, torch.from_numpy(x[:1]), check_trace=False)
        _package(recipe, traced, names, precision).save(str(partial / f"{precision}.mlpackage"))
    if recipe.neuralnetwork:
        traced = torch.jit.trace(exact, torch.from_numpy(x[:1]), check_trace=False)
        _neural_network(recipe, traced, names).save(str(partial / "network.mlmodel"))
    (partial / "recipe.json").write_text(json.dumps(asdict(recipe)))
    partial.rename(folder)
    return time.monotonic() - started


def _package(recipe: Recipe, traced: Any, names: list[str], precision: str) -> Any:
    return ct.convert(
        traced,
        inputs=[_input(recipe)],
        outputs=[ct.TensorType(name=name, dtype=np.float32) for name in names],
        minimum_deployment_target=ct.target[recipe.target],
        compute_precision=ct.precision.FLOAT16 if precision == "fp16" else ct.precision.FLOAT32,
        skip_model_load=True,
    )


def _neural_network(recipe: Recipe, traced: Any, names: list[str]) -> Any:
    return ct.convert(
        traced, inputs=[_input(recipe)], outputs=[ct.TensorType(name=n) for n in names], convert_to="neuralnetwork"
    )


def _input(recipe: Recipe) -> Any:
    shape = (1, 1 if recipe.colour == "GRAYSCALE" else 3, recipe.size, recipe.size)
    if recipe.input == "array":
        return ct.TensorType(name="x", shape=shape, dtype=np.float32)
    colour = getattr(ct.colorlayout, recipe.colour)
    bias = list(networks.BIAS[recipe.colour])
    bias = bias[0] if recipe.colour == "GRAYSCALE" else bias
    return ct.ImageType(name="image", shape=shape, scale=networks.SCALE, bias=bias, color_layout=colour)


def _output_names(module: networks.Wrapped, x: np.ndarray) -> list[str]:
    count = len(module(torch.from_numpy(x[:1])))
    return ["answer"] if count == 1 else [f"answer{i}" for i in range(count)]


def _folder(recipe: Recipe) -> Path:
    total = hashlib.sha256(json.dumps([asdict(recipe), sys.version_info[:2], *map(version, PACKAGES)]).encode())
    for source in (*SOURCES, *(["handwritten.py"] if recipe.call.startswith("handwritten.") else [])):
        total.update((HERE / source).read_bytes())
    return ZOO / f"{recipe.name}-{total.hexdigest()[:12]}"


def _finished(recipe: Recipe) -> bool:
    return _folder(recipe).exists()


def _forget_others(recipes: list[Recipe]) -> None:
    """Remove the folders of networks that are not listed any more, and what a stopped build left."""
    names = {recipe.name for recipe in recipes} | {"compressed"}
    for folder in ZOO.glob("*-*"):
        if folder.suffix == ".partial" or folder.name.rpartition("-")[0] not in names:
            shutil.rmtree(folder)


def _write_index(recipes: list[Recipe]) -> None:
    """Which folder holds each network that is built, and of which sources."""
    index = {recipe.name: _folder(recipe).name for recipe in recipes if _finished(recipe)}
    (ZOO / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
