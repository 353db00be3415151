"""What is done with a model on MLX besides running it: profiled, verified. In this process; see `inquiry.py`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.engine.targets import Precision, target
from app.errors import EngineRefused, TargetUnavailable
from app.i18n import N_
from app.machine.blas import load_openblas

if TYPE_CHECKING:
    from app.compiler.profile_report import Profile
    from app.compiler.verify_report import Verification

ONLY_MLX = N_("only MLX can be looked into")


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
    with _on_mlx(target_id, path) as device:
        from app.compiler.profile import profile_model

        return profile_model(
            path, precision=precision, device=device, function=function, rounds=rounds, on_round=on_round
        )


def verify(path: Path, target_id: str, precision: Precision, *, function: str | None = None) -> Verification:
    """How far what runs on an MLX target is from what the file states, on seeded noise.

    Raises TargetUnavailable, EngineRefused, and what compile_model raises.
    """
    with _on_mlx(target_id, path) as device:
        from app.compiler.verify import verify as verify_model

        return verify_model(path, precision=precision, function=function, device=device)


@contextlib.contextmanager
def _on_mlx(target_id: str, path: Path) -> Iterator[Literal["cpu", "gpu"]]:
    """Make MLX ready for a target; what it raises inside comes out as EngineRefused. Raises TargetUnavailable."""
    wanted = target(target_id)
    if wanted.runtime != "mlx":
        raise TargetUnavailable(target=wanted.shown_name, reason=ONLY_MLX)
    on_gpu = wanted.requests == "gpu"
    # Before MLX is imported, as in an engine process. To verify on a GPU the CPU computes too.
    if sys.platform == "linux":
        load_openblas()
    try:
        yield "gpu" if on_gpu else "cpu"
    except (RuntimeError, ValueError) as error:  # as MLX raises them
        cause = str(error).strip().splitlines()[:1] or [repr(error)]
        raise EngineRefused(target=wanted.shown_name, model=path.name, cause=cause[0]) from error
