"""A compiled function as a file of its own, an `.mlxfn`, which any MLX program loads without this project.

Such a function takes its inputs by position and gives its outputs by position, both in the order of
`CompiledModel.inputs` and `.outputs`; each has exactly the shape and type of the export.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from app.errors import StorageError, storage_error
from app.i18n import N_
from app.place import place_to_write


def write_new(path: Path, write: Callable[[Path], None], overwrite: bool) -> None:
    """Make the file `path` out of what `write` puts at the path that it is given: whole or not at all.

    A symbolic link stays one. Raises StorageError, also when the file is there already and `overwrite` is false, or is
    no regular file.
    """
    path = place_to_write(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.mlxfn")
    reserved = False
    try:
        if not overwrite:
            # Taken before the work begins, so that nobody else can take it meanwhile.
            path.touch(exist_ok=False)
            reserved = True
        write(unfinished)
        os.replace(unfinished, path)
    except BaseException as error:
        for file in (unfinished, *([path] if reserved else [])):
            with contextlib.suppress(OSError):
                file.unlink()
        if isinstance(error, FileExistsError) and not reserved:
            raise StorageError(path=str(path), cause=N_("it exists already")) from error
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        if isinstance(error, RuntimeError):  # as MLX says that it cannot write
            raise StorageError(path=str(path), cause=str(error).strip().splitlines()[0]) from error
        raise
