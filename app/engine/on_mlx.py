"""MLX in this process for one piece of work, on the device of a target."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from app.engine.targets import target
from app.errors import EngineRefused, TargetUnavailable
from app.i18n import N_
from app.machine.blas import load_openblas

ONLY_MLX = N_("only MLX can do this")


@contextlib.contextmanager
def on_mlx(target_id: str, path: Path) -> Iterator[Literal["cpu", "gpu"]]:
    """Make MLX ready for a target; what it raises inside comes out as EngineRefused. Raises TargetUnavailable."""
    wanted = target(target_id)
    if wanted.runtime != "mlx":
        raise TargetUnavailable(target=wanted.shown_name, reason=ONLY_MLX)
    # Before MLX is imported, as in an engine process. To verify on a GPU the CPU computes too.
    if sys.platform == "linux":
        load_openblas()
    try:
        yield "gpu" if wanted.requests == "gpu" else "cpu"
    except (RuntimeError, ValueError) as error:  # as MLX raises them
        cause = str(error).strip().splitlines()[:1] or [repr(error)]
        raise EngineRefused(target=wanted.shown_name, model=path.name, cause=cause[0]) from error
