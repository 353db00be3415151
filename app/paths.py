"""Where things are kept: our own resources, caches, the user's data.

Nothing is ever written into the application's own folder, and a cache may vanish at any time.
`DYNO_CACHE_DIR` and `DYNO_DATA_DIR` move the two folders (tests, several installations on one machine).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

APP_NAME = "Silicon Dyno"


def resources_folder() -> Path:
    """The folder `resources`: in the bundle when frozen by py2app, else beside `app`."""
    if getattr(sys, "frozen", None) == "macosx_app":
        return Path(os.environ["RESOURCEPATH"]) / "resources"
    return Path(__file__).resolve().parent.parent / "resources"


def resource(*parts: str) -> Path:
    """A file or folder below `resources`; it need not exist."""
    return resources_folder().joinpath(*parts)


def cache_folder(*parts: str) -> Path:
    """A folder for what can be made again. Not created here: the writer creates it and copes with a full disk."""
    base = os.environ.get("DYNO_CACHE_DIR") or platformdirs.user_cache_dir(APP_NAME, appauthor=False)
    return Path(base).joinpath(*parts)


def data_folder(*parts: str) -> Path:
    """A folder for what the user would miss. Not created here."""
    base = os.environ.get("DYNO_DATA_DIR") or platformdirs.user_data_dir(APP_NAME, appauthor=False)
    return Path(base).joinpath(*parts)


def shown_path(path: str | os.PathLike[str]) -> str:
    """The path as text that can be written anywhere; bytes that are no text become U+FFFD."""
    return os.fsencode(path).decode("utf-8", "replace")
