"""Build the Core ML models of resources/models from their original PyTorch weights.

examples:
  .venv-models/bin/python packaging/build_models.py                build into resources/models
  .venv-models/bin/python packaging/build_models.py --check        build aside and compare with resources/models
  .venv-models/bin/python packaging/build_models.py -o /tmp/out    build elsewhere
  .venv-models/bin/python packaging/build_models.py --references   write PyTorch's answers to the sample photos
  .venv-models/bin/python packaging/build_models.py --evidence     show how the weights expect pixels
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "resources" / "models"
REFERENCES = ROOT / "tests" / "data"

# Photos are prepared by the application's own code; a script's folder, not the root, is where Python looks for modules.
sys.path.insert(1, str(ROOT))

# coremltools draws a progress bar for each of its hundred passes, and says on import what it cannot load off a Mac and
# which torch it was not tested with. Converting needs none of the former; --check and the tests stand for the latter.
os.environ.setdefault("TQDM_DISABLE", "1")
logging.getLogger("coremltools").setLevel(logging.ERROR)

import efficientnet_lite  # noqa: E402
import model_package  # noqa: E402
import pixel_evidence  # noqa: E402
import reference_answers  # noqa: E402


@dataclass(frozen=True)
class Build:
    """One package to make. `weights` is how they are stored: fp16 or int8."""

    variant: efficientnet_lite.Variant
    weights: str

    @property
    def id(self) -> str:
        return f"{self.variant.name}-{self.weights}"

    @property
    def file(self) -> str:
        return f"{self.variant.shown_name}-{self.weights}.mlpackage"


BUILDS = (
    Build(efficientnet_lite.LITE0, "fp16"),
    Build(efficientnet_lite.LITE0, "int8"),
    Build(efficientnet_lite.LITE2, "fp16"),
)


def main() -> int:
    arguments = _arguments()
    networks = (efficientnet_lite.LITE0, efficientnet_lite.LITE2)
    if arguments.evidence:
        for network in networks:
            pixel_evidence.print_evidence(network)
        return 0
    if arguments.references:
        for network in networks:
            print(f"{network.name}: answers to the sample photos …", flush=True)
            reference_answers.write_references(network, REFERENCES)
        return 0
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            build_all(Path(folder))
            return 0 if same(Path(folder), arguments.output) else 1
    build_all(arguments.output)
    return 0


def _arguments() -> argparse.Namespace:
    summary, examples = __doc__.split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=summary, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=MODELS,
        metavar="FOLDER",
        help="where the models go, or what --check compares with (default: resources/models)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="rebuild aside; exit status 1 when the result differs")
    what.add_argument("--references", action="store_true", help="write tests/data/reference_lite0.json and the like")
    what.add_argument("--evidence", action="store_true", help="measure scaling and crop on the sample photos")
    return parser.parse_args()


def build_all(folder: Path) -> None:
    """Write every package and catalog.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, build in enumerate(BUILDS, start=1):
        started = time.perf_counter()
        print(f"[{number}/{len(BUILDS)}] {build.id} …", flush=True)
        package = folder / build.file
        build_one(build, package)
        rows.append(catalog_row(build, package))
        seconds = time.perf_counter() - started
        print(f"      {rows[-1]['size_bytes'] / 1e6:.2f} MB in {seconds:.0f} s, digest {rows[-1]['digest'][:16]}")
    text = json.dumps({"models": rows}, indent=2, ensure_ascii=False) + "\n"
    (folder / "catalog.json").write_text(text, encoding="utf-8")


def build_one(build: Build, package: Path) -> None:
    """Convert one network and write it as `package`."""
    model = efficientnet_lite.convert(build.variant)
    if build.weights == "int8":
        model = efficientnet_lite.quantize(model)
    spec = efficientnet_lite.describe(model, build.variant, build.weights)
    model_package.write_package(spec, Path(model.weights_dir), package)


def catalog_row(build: Build, package: Path) -> dict[str, Any]:
    """What the application knows of a model without opening it."""
    return {
        "id": build.id,
        "name": f"{build.variant.shown_name} · {build.weights}",
        "file": package.name,
        "weights": build.weights,
        "size_bytes": model_package.size_bytes(package),
        "width": build.variant.size,
        "height": build.variant.size,
        "crop_fraction": build.variant.crop_fraction,
        "interpolation": efficientnet_lite.INTERPOLATION,
        "licence": "Apache-2.0",
        "digest": model_package.digest(package),
    }


def same(built: Path, kept: Path) -> bool:
    """Print the digest of every file of both folders; whether all are equal."""
    rows = model_package.compare(built, kept, ["catalog.json", *(build.file for build in BUILDS)])
    for row in rows:
        print(f"{'same     ' if row.equal else 'DIFFERENT'} {row.name}  {row.digest or 'not in the rebuilt models'}")
    equal = all(row.equal for row in rows)
    print("The rebuilt models are the same." if equal else "The rebuilt models differ.")
    return equal


if __name__ == "__main__":
    sys.exit(main())
