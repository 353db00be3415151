"""A model file on disk, looked at from outside: which files belong to it, and are they whole.

Nothing here needs coremltools, so that a model which was compiled before starts without importing it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil

from app.errors import ModelMissing, ModelUnreadable, UnsupportedModel
from app.i18n import N_

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_SPECIFICATION_BYTES = 2**31 - 1
"""protobuf reads no longer message."""
_MANIFEST_BYTES = 2**24
_ENTRIES = 10_000
"""Files and folders of a package; Xcode and coremltools write fewer than ten."""


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
            total.update(os.fsencode(file.relative_to(self.path).as_posix()) + b"\0")
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        return total.hexdigest()


def open_package(path: str | Path) -> Package:
    """The package at `path`. Raises ModelMissing, ModelUnreadable, UnsupportedModel."""
    path = Path(path)
    refuse_unspeakable(path)
    try:
        if not path.exists():
            raise ModelMissing(model=str(path), known=())
        package = _open_folder(path) if path.is_dir() else _open_file(path)
        _refuse_large(package)
        for file in package.files:
            _refuse_pointer(path, file)
        _ = package.digest
    except OSError as error:
        raise ModelUnreadable(model=path.name, cause=error.strerror or str(error)) from error
    return package


def refuse_unspeakable(path: Path) -> None:
    """Raises ModelUnreadable for a path that is no text, which neither coremltools nor a message can carry."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ModelUnreadable(
            model=path.name, cause=N_("its name, or that of a folder around it, is no text in UTF-8; rename it")
        ) from error


def files_of(folder: Path) -> list[Path]:
    """The files in a package, sorted. Links to files are followed, links to folders are not. Raises OSError.

    Raises ModelUnreadable where there are too many, before all of them are listed.
    """
    found, entries, waiting = [], 0, [folder]
    while waiting:
        with os.scandir(waiting.pop()) as listed:
            for entry in listed:
                entries += 1
                if entries > _ENTRIES:
                    cause = N_("it holds more than {count} files, and a model has a handful")
                    raise ModelUnreadable(model=folder.name, cause=cause, details={"count": f"{_ENTRIES:,}"})
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif Path(entry.path).is_file():  # unlike the entry's own, False for a link to itself
                    found.append(Path(entry.path))
    return sorted(found)


def _refuse_large(package: Package) -> None:
    """Before anything is read. Raises ModelUnreadable, UnsupportedModel."""
    if package.specification.stat().st_size > _SPECIFICATION_BYTES:
        raise ModelUnreadable(model=package.name, cause=N_("its description is larger than a Core ML file can be"))
    if package.size_bytes > psutil.virtual_memory().total:
        raise UnsupportedModel(model=package.name, cause=N_("it is larger than the memory of this machine"))


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
    if manifest.stat().st_size > _MANIFEST_BYTES:
        raise ModelUnreadable(model=path.name, cause=N_("Manifest.json is damaged"))
    specification = path / "Data" / _root_model(path, manifest)
    if not specification.is_file():
        raise ModelUnreadable(model=path.name, cause=N_("the model inside is missing; it was probably copied in part"))
    # Finder and archivers leave files such as .DS_Store behind; they are no part of the model.
    files = tuple(file for file in files_of(path) if not file.name.startswith("."))
    return Package(path, specification, files)


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
