"""Compiled functions on disk: an `.mlxfn` beside a JSON page that describes it.

The page is written last, sealed by a checksum of its own, and names the function file by its checksum, both through a
temporary name, so a reader sees a whole pair or none: two processes may compile the same model at once, and either may
be killed in the middle. Whatever is wrong with the cache, the caller learns of it as a note and compiles again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import zlib
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import app
from app.compiler.facts import ModelFacts
from app.i18n import _

_FORMAT = 3
"""Raised when the page below changes its fields."""


@dataclass(frozen=True)
class Key:
    """What a compiled function depends on, besides the batch and the versions of the code."""

    digest: str
    function: str
    precision: str
    device: str
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Names and shapes of the inputs that do not have their default shape."""

    def stem(self, batch: int) -> str:
        """Start of the file names; all of one model and way of running it are neighbours."""
        versions = hashlib.sha256(json.dumps([asdict(self), _versions()]).encode()).hexdigest()
        return f"{self.family(batch)}{versions[:16]}"

    def family(self, batch: int) -> str:
        """The part of `stem` that outlives a change of versions."""
        variant = zlib.crc32(json.dumps([self.function, self.shapes]).encode())
        return f"{self.digest[:16]}-{variant:08x}-{self.device}-{self.precision}-b{batch}-"


@dataclass(frozen=True)
class Page:
    """What is known of a compiled function without reading its model."""

    facts: ModelFacts
    outputs: tuple[tuple[str, tuple[int, ...], str], ...]
    """Name, shape and MIL type of each array that the function gives, at the batch of the file."""


@cache
def _versions() -> list[str]:
    def of(package: str) -> str:
        # A frozen application carries no package metadata; its own version stands for all it brings along.
        try:
            return version(package)
        except PackageNotFoundError:
            return ""

    sources = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        sources.update(file.read_bytes())
    code = sources.hexdigest()
    return [str(_FORMAT), app.__version__, of("mlx"), of("coremltools"), platform.machine(), code]


def load(folder: Path, key: Key, batch: int) -> tuple[Page | None, Path | None, str | None]:
    """The page and the function file for this batch, or (None, None, note); no note where there simply is none yet."""
    page_file = folder / f"{key.stem(batch)}.json"
    try:
        plain = _unsealed(json.loads(page_file.read_bytes()))
        page = _page(plain)
        function_file = folder / str(plain["file"])
        with function_file.open("rb") as stream:
            whole = _checksum(stream) == plain["checksum"]
    except FileNotFoundError:
        return None, None, None
    except OSError as error:
        return None, None, _("The cache cannot be read ({cause}).").format(cause=error.strerror or error)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        return None, None, _("The cached model was damaged; it was compiled again.")
    return page, function_file, None


def store(folder: Path, key: Key, batch: int, page: Page, exported: Path, suffix: str = ".mlxfn") -> Path:
    """Move the function file `exported` into the cache; returns where it is now.

    `exported` has to lie in `folder`, for a file is only moved in one step within a file system. Raises OSError; then
    `exported` is gone and nothing else stays behind.
    """
    stem = key.stem(batch)
    temporary = folder / f"{stem}.{os.getpid()}.tmp"
    try:
        with exported.open("rb") as stream:
            checksum = _checksum(stream)
        function_file = folder / f"{stem}-{checksum}{suffix}"
        sealed = _sealed({**_plain(page), "file": function_file.name, "checksum": checksum})
        temporary.write_text(json.dumps(sealed))
        os.replace(exported, function_file)
        os.replace(temporary, folder / f"{stem}.json")
    except OSError:
        for file in (exported, temporary):
            with contextlib.suppress(OSError):
                file.unlink()
        raise
    _forget_older(folder, key, batch, stem)
    return function_file


def not_kept(error: OSError | RuntimeError) -> str:
    """Why a compiled model is not in the cache; MLX raises RuntimeError where it cannot write."""
    cause = error.strerror if isinstance(error, OSError) and error.strerror else error
    return _("The compiled model could not be kept for the next start ({cause}).").format(cause=cause)


def _forget_older(folder: Path, key: Key, batch: int, stem: str) -> None:
    """Remove what other versions of the code left of the same model. A process that still reads it keeps it open."""
    for file in folder.glob(f"{key.family(batch)}*"):
        if not file.name.startswith(stem):
            with contextlib.suppress(OSError):
                file.unlink()


def _checksum(stream: Any) -> str:
    total = 0
    while block := stream.read(1 << 20):
        total = zlib.crc32(block, total)
    return f"{total:08x}"


def _sealed(plain: dict[str, Any]) -> dict[str, Any]:
    return {"page": plain, "sha256": _digest(plain)}


def _unsealed(envelope: dict[str, Any]) -> dict[str, Any]:
    """What `_sealed` was given; raises ValueError where that was changed since."""
    plain: dict[str, Any] = envelope["page"]
    if _digest(plain) != envelope["sha256"]:
        raise ValueError("the page does not match its checksum")
    return plain


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _plain(page: Page) -> dict[str, Any]:
    return {"facts": page.facts.to_json(), "outputs": page.outputs}


def _page(plain: dict[str, Any]) -> Page:
    outputs = tuple((str(name), tuple(shape), str(dtype)) for name, shape, dtype in plain["outputs"])
    return Page(ModelFacts.from_json(plain["facts"]), outputs)
