"""A model file on disk, looked at from outside: which files belong to it, and are they whole.

Nothing here needs coremltools, so that a model which was compiled before starts without importing it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.errors import ModelMissing, ModelUnreadable, UnsupportedModel
from app.i18n import N_

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Package:
    """One model: a `.mlpackage` folder or a `.mlmodel` file."""

    path: Path
    specification: Path
    """The protobuf file."""
    files: tuple[Path, ...]
    """All files that make the model, sorted."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and contents of all files, hex."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(file.relative_to(self.path).as_posix().encode() + b"\0")
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        return total.hexdigest()


def open_package(path: str | Path) -> Package:
    """The package at `path`. Raises ModelMissing, ModelUnreadable, UnsupportedModel."""
    path = Path(path)
    if not path.exists():
        raise ModelMissing(model=str(path), known=())
    try:
        package = _open_folder(path) if path.is_dir() else _open_file(path)
        for file in package.files:
            _refuse_pointer(path, file)
        _ = package.digest
    except OSError as error:
        raise ModelUnreadable(model=path.name, cause=error.strerror or str(error)) from error
    return package


def _open_file(path: Path) -> Package:
    if not path.is_file():
        raise ModelUnreadable(model=path.name, cause=N_("it is neither a file nor a folder"))
    return Package(path, specification=path, files=(path,))


def _open_folder(path: Path) -> Package:
    if path.suffix == ".mlmodelc":
        raise UnsupportedModel(model=path.name, cause=N_("it is already compiled, and only its source can be read"))
    manifest = path / "Manifest.json"
    if not manifest.is_file():
        raise ModelUnreadable(model=path.name, cause=N_("Manifest.json is missing; it was probably copied in part"))
    _refuse_pointer(path, manifest)
    specification = path / "Data" / _root_model(path, manifest)
    if not specification.is_file():
        raise ModelUnreadable(model=path.name, cause=N_("the model inside is missing; it was probably copied in part"))
    # Finder and archivers leave files such as .DS_Store behind; they are no part of the model.
    files = sorted(f for f in path.rglob("*") if f.is_file() and not f.name.startswith("."))
    return Package(path, specification, tuple(files))


def _root_model(path: Path, manifest: Path) -> str:
    """Path of the protobuf file below `Data`, as the manifest names it."""
    try:
        content = json.loads(manifest.read_bytes())
        inside = str(content["itemInfoEntries"][content["rootModelIdentifier"]]["path"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelUnreadable(model=path.name, cause=N_("Manifest.json is damaged")) from error
    if ".." in Path(inside).parts or Path(inside).is_absolute():
        raise ModelUnreadable(model=path.name, cause=N_("Manifest.json points outside the package"))
    return inside


def _refuse_pointer(path: Path, file: Path) -> None:
    with file.open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise ModelUnreadable(
                model=path.name,
                cause=N_("it holds git-LFS pointers in place of the content; fetch it with git lfs pull"),
            )
