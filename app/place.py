"""Where a file that a command line names is written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.errors import StorageError, storage_error
from app.i18n import _


def place_to_write(path: Path) -> Path:
    """The path itself, or what it leads to when it is a symbolic link, so that the link stays one.

    Raises StorageError for what is there and is no regular file: a device or pipe must not be replaced by a file.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise storage_error(path, error) from error
    if not stat.S_ISREG(mode):
        raise StorageError(path=str(path), cause=_("it is no regular file"))
    return Path(os.path.realpath(path)) if path.is_symlink() else path
