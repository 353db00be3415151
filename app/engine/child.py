"""How a Python process of our own is started."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import app


def module_command(module: str) -> list[str]:
    """The command that runs `module` with this interpreter; the working directory is not searched for it."""
    return [sys.executable, "-P", "-m", module]


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours, `app` importable, `extra` on top.

    Inside the py2app bundle PYTHONHOME and PYTHONPATH are what makes its interpreter work, so they stay.
    """
    environment = dict(os.environ)
    environment.pop("PYTHONINSPECT", None)  # would keep the child alive after its end
    ours = str(Path(app.__file__).parent.parent)
    theirs = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([ours, theirs] if theirs else [ours])
    return environment | dict(extra or {})


def describe_exit(returncode: int) -> str:
    """ "signal SIGKILL" or "exit status 1" """
    if returncode < 0:
        try:
            return f"signal {signal.Signals(-returncode).name}"
        except ValueError:
            return f"signal {-returncode}"
    return f"exit status {returncode}"
