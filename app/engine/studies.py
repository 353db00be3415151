"""What is done with a model on MLX besides running it: profiled, verified. In this process; see `inquiry.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.on_mlx import on_mlx
from app.engine.targets import Precision

if TYPE_CHECKING:
    from app.compiler.profile_report import Profile
    from app.compiler.verify_report import Verification


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
    with on_mlx(target_id, path) as device:
        from app.compiler.profile import profile_model

        return profile_model(
            path, precision=precision, device=device, function=function, rounds=rounds, on_round=on_round
        )


def verify(path: Path, target_id: str, precision: Precision, *, function: str | None = None) -> Verification:
    """How far what runs on an MLX target is from what the file states, on seeded noise.

    Raises TargetUnavailable, EngineRefused, and what compile_model raises.
    """
    with on_mlx(target_id, path) as device:
        from app.compiler.verify import verify as verify_model

        return verify_model(path, precision=precision, function=function, device=device)
