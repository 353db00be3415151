"""The list of models that a person added: a JSON list of absolute paths in the folder of user data."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path

from app.errors import StorageError, storage_error
from app.paths import data_folder

log = logging.getLogger(__name__)


def paths() -> list[str]:
    """The added paths in the order of adding; none when the list cannot be read, which is logged."""
    try:
        return _read()
    except StorageError as error:
        log.warning("The list of added models cannot be read: %s", error)
        return []


def add(path: str) -> None:
    """Put `path` at the end of the list, unless it is there already. Raises StorageError."""
    # Read at the last moment: a second window may have added a model since.
    known = _read()
    if path not in known:
        _write([*known, path])


def remove(path: str) -> None:
    """Take `path` off the list; nothing happens when it is not there. Raises StorageError."""
    known = _read()
    if path in known:
        _write([one for one in known if one != path])


def _file() -> Path:
    return data_folder("models.json")


def _read() -> list[str]:
    """Raises StorageError when the list is there and cannot be read, so that it is not overwritten."""
    file = _file()
    try:
        known = json.loads(file.read_bytes())
        if isinstance(known, list) and all(isinstance(one, str) for one in known):
            return known
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(file, error) from error
    except ValueError:
        pass
    _set_aside(file)
    return []


def _set_aside(file: Path) -> None:
    """Rename a damaged list, so that nothing in it is lost. Raises StorageError."""
    aside = file.with_suffix(".json.broken")
    number = 2
    while aside.exists():
        aside = file.with_suffix(f".json.broken-{number}")
        number += 1
    try:
        file.rename(aside)
    except FileNotFoundError:
        return  # another window was faster
    except OSError as error:
        raise storage_error(file, error) from error
    log.warning("The list of added models was damaged; it is kept as %s", aside)


def _write(known: list[str]) -> None:
    """Replace the list in one step: a full disk or a crash leaves the old one. Raises StorageError."""
    file = _file()
    unfinished = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=".models-", suffix=".json", dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, ensure_ascii=False, indent=1)
        os.replace(unfinished, file)
    except OSError as error:
        if unfinished:
            Path(unfinished).unlink(missing_ok=True)
        raise storage_error(file, error) from error
