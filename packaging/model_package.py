"""Write a Core ML package byte for byte the same each time, and tell whether two packages are equal.

coremltools puts random identifiers into Manifest.json, today's date and the platform's build of torch into the
specification, lets the order of protobuf maps vary, and makes the specification readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPECIFICATION = "com.apple.CoreML/model.mlmodel"
WEIGHTS = "com.apple.CoreML/weights"
_DATE = "com.github.apple.coremltools.conversion_date"
_SOURCE = "com.github.apple.coremltools.source"


def write_package(spec: Any, weights_folder: Path, package: Path) -> None:
    """Write `spec` (a protobuf Model) and the folder of weights as the .mlpackage `package`, replacing it."""
    shutil.rmtree(package, ignore_errors=True)
    data = package / "Data"
    (data / WEIGHTS).mkdir(parents=True)
    for file in sorted(weights_folder.iterdir()):
        shutil.copyfile(file, data / WEIGHTS / file.name)
    without_surroundings(spec)
    (data / SPECIFICATION).write_bytes(spec.SerializeToString(deterministic=True))
    (package / "Manifest.json").write_text(manifest(), encoding="utf-8")


def manifest() -> str:
    """Manifest.json with identifiers that depend on nothing but what they name.

    Keys are sorted and the file ends as coremltools does it: coremltools writes the manifest of every package that it
    opens anew, and a package of ours must not change by being read.
    """
    rows = {
        SPECIFICATION: ("model.mlmodel", "CoreML Model Specification"),
        WEIGHTS: ("weights", "CoreML Model Weights"),
    }
    identifiers = {path: str(uuid.uuid5(uuid.NAMESPACE_URL, path)).upper() for path in rows}
    content = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": {
            identifiers[path]: {
                "author": "com.apple.CoreML",
                "description": description,
                "name": name,
                "path": path,
            }
            for path, (name, description) in rows.items()
        },
        "rootModelIdentifier": identifiers[SPECIFICATION],
    }
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


def without_surroundings(spec: Any) -> None:
    """Take the date out of `spec`, and the build ("+cpu") off the version of torch that it names twice."""
    about = spec.description.metadata.userDefined
    about.pop(_DATE, None)
    if _SOURCE in about:
        about[_SOURCE] = about[_SOURCE].partition("+")[0]
    for row in spec.mlProgram.attributes["buildInfo"].immediateValue.dictionary.values:
        texts = row.value.immediateValue.tensor.strings.values
        texts[0] = texts[0].partition("+")[0]


def digest(package: Path) -> str:
    """SHA-256, hex, over the names and contents of a package's files: what app/compiler/reading/package.py computes."""
    total = hashlib.sha256()
    for name, file_digest in file_digests(package).items():
        total.update(name.encode() + b"\0" + bytes.fromhex(file_digest))
    return total.hexdigest()


def file_digests(package: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of each file of a package, in the order of their paths."""
    names = sorted(file.relative_to(package).as_posix() for file in _files(package))
    return {name: hashlib.sha256((package / name).read_bytes()).hexdigest() for name in names}


def size_bytes(package: Path) -> int:
    """Bytes of all files of a package."""
    return sum(file.stat().st_size for file in _files(package))


@dataclass(frozen=True)
class Compared:
    """One file of two folders. `digest` is that of the rebuilt one, None when there is none."""

    name: str
    digest: str | None
    equal: bool


def compare(built: Path, kept: Path, names: list[str]) -> list[Compared]:
    """Each file of both folders below `names`, which are files or packages, whether it is there in one or in both."""
    rows = []
    for name in names:
        ours, theirs = _digests(built / name), _digests(kept / name)
        for part in sorted(ours.keys() | theirs.keys()):
            digest = ours.get(part)
            equal = digest is not None and digest == theirs.get(part)
            rows.append(Compared(f"{name}/{part}" if part else name, digest, equal))
    return rows


def _digests(path: Path) -> dict[str, str]:
    if path.is_file():
        return {"": hashlib.sha256(path.read_bytes()).hexdigest()}
    return file_digests(path)


def _files(package: Path) -> list[Path]:
    """All files but those that Finder leaves behind."""
    return [file for file in package.rglob("*") if file.is_file() and not file.name.startswith(".")]
