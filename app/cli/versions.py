"""Versions of what a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from app import __version__

PACKAGES = ("mlx", "coremltools", "numpy", "pillow", "pi-heif", "PySide6-Essentials", "pyqtgraph")


def installed_versions() -> dict[str, str]:
    """Name -> version; what is not installed is left out. Nothing is imported for it."""
    found = {"dyno": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
