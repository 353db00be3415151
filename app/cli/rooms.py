"""What the commands use of the other rooms. Each is imported when it is used, so that `dyno --help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.bench.race import Engine
    from app.compiler.inspection.report import Inspection
    from app.compiler.profile_report import Profile
    from app.compiler.verify_report import Verification
    from app.engine.exporting import Exported
    from app.engine.messages import Lane
    from app.engine.probe import TargetState
    from app.engine.targets import Precision
    from app.imaging.photo import Photo
    from app.library.card import ModelCard
    from app.library.importing import Imported
    from app.machine.facts import Machine


class Rooms:
    """The doors to the other rooms; a test hands in others."""

    def target_states(self) -> list[TargetState]:
        """Every target with whether this machine has it; asks a child process."""
        from app.engine.probe import probe

        return probe()

    def fresh_target_states(self) -> list[TargetState]:
        """The same, without believing what an earlier answer said."""
        from app.engine.probe import probe

        return probe(fresh=True)

    def cpu_library(self) -> tuple[str, str | None]:
        """What MLX on the CPU computes with here, and on Linux why it is slow (an N_ text), if it is."""
        from app.engine.mlx_session import describe_cpu
        from app.machine.blas import load_openblas, why_no_openblas

        if sys.platform != "linux":
            return describe_cpu(None), None
        return describe_cpu(load_openblas()), why_no_openblas()

    def open_engine(self, lane: Lane, on_stage: Callable[[str], None]) -> AbstractContextManager[Engine]:
        """An engine process for one lane."""
        from app.engine.blocking import OpenLane

        return OpenLane(lane, on_stage)

    def models(self) -> list[ModelCard]:
        """All built-in models; the first one is the default."""
        from app.library.catalog import models

        return models()

    def find_model(self, name_or_path: str) -> ModelCard:
        """Raises ModelMissing."""
        from app.library.catalog import find_model

        return find_model(name_or_path)

    def open_photo(self, path: Path) -> Photo:
        """Raises PhotoError."""
        from app.imaging.photo import open_photo

        return open_photo(path)

    def photo_from_bytes(self, data: bytes, name: str) -> Photo:
        """Raises PhotoError."""
        from app.imaging.photo import photo_from_bytes

        return photo_from_bytes(data, name)

    def machine(self) -> Machine:
        """What this machine is."""
        from app.machine.facts import read_machine

        return read_machine()

    def inspect(self, path: Path, function: str | None) -> Inspection:
        """What a model file holds. Raises ModelError."""
        from app.engine.inquiry import inspect

        return inspect(path, function)

    def profile(
        self,
        path: Path,
        target_id: str,
        precision: Precision,
        *,
        function: str | None,
        rounds: int,
        on_round: Callable[[int, int], None],
    ) -> Profile:
        """Where MLX spends its time. Raises AppError."""
        from app.engine.inquiry import profile

        return profile(path, target_id, precision, function=function, rounds=rounds, on_round=on_round)

    def export(
        self,
        path: Path,
        file: Path,
        target_id: str,
        precision: Precision,
        *,
        function: str | None,
        batch: int,
        overwrite: bool,
    ) -> Exported:
        """A model written as an .mlxfn. Raises AppError."""
        from app.engine.exporting import export

        return export(path, file, target_id, precision, function=function, batch=batch, overwrite=overwrite)

    def import_model(self, path: Path, on_progress: Callable[[int, int], None]) -> Imported:
        """A model copied into the library. Raises ModelError, StorageError."""
        from app.library.importing import import_model

        return import_model(path, on_progress=on_progress)

    def rename_model(self, card: ModelCard, name: str) -> ModelCard:
        """Raises NameTaken, StorageError."""
        from app.library.shelf import rename

        return rename(card, name)

    def remove_model(self, card: ModelCard) -> None:
        """Raises StorageError."""
        from app.library.shelf import remove

        remove(card)

    def removed_models(self) -> list[ModelCard]:
        """What can be brought back, the last removed first."""
        from app.library.shelf import removed_cards

        return removed_cards()

    def restore_model(self, name: str) -> ModelCard:
        """Raises ModelMissing, ModelAmbiguous, StorageError."""
        from app.library.shelf import find_removed, restore

        return restore(find_removed(name))

    def verify(self, path: Path, target_id: str, precision: Precision, *, function: str | None) -> Verification:
        """How far MLX is from what the file states. Raises AppError."""
        from app.engine.inquiry import verify

        return verify(path, target_id, precision, function=function)
