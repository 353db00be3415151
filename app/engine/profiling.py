"""A profile of a model on MLX, taken in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.targets import Precision, target
from app.errors import EngineRefused, TargetUnavailable
from app.i18n import N_
from app.machine.blas import load_openblas

if TYPE_CHECKING:
    from app.compiler.profile_report import Profile

NO_PROFILE = N_("only MLX can be looked into")


def profile(
    path: Path,
    target_id: str,
    precision: Precision,
    *,
    function: str | None = None,
    rounds: int = 20,
    on_round: Callable[[int, int], None] = lambda done, of: None,
) -> Profile:
    """The time of each group of operations of the model at `path` on an MLX target.

    Raises TargetUnavailable, EngineRefused, and what compile_model raises.
    """
    wanted = target(target_id)
    if wanted.runtime != "mlx":
        raise TargetUnavailable(target=wanted.shown_name, reason=NO_PROFILE)
    on_gpu = wanted.requests == "gpu"
    # Before MLX is imported, as in an engine process.
    if sys.platform == "linux" and not on_gpu:
        load_openblas()
    from app.compiler.profile import profile_model

    try:
        return profile_model(
            path,
            precision=precision,
            device="gpu" if on_gpu else "cpu",
            function=function,
            rounds=rounds,
            on_round=on_round,
        )
    except (RuntimeError, ValueError) as error:  # as MLX raises them
        cause = str(error).strip().splitlines()[:1] or [repr(error)]
        raise EngineRefused(target=wanted.shown_name, model=path.name, cause=cause[0]) from error
