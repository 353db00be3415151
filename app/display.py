"""Whether there is a screen for a window."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Whether Qt can be expected to open a window. On Linux it ends the process when it cannot, so it is asked before.

    QT_QPA_PLATFORM is taken at its word: who sets it (offscreen, vnc, …) wants a window.
    """
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
