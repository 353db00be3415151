"""Which engines the window can offer for the chosen model, and what to say when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.engine.targets import Precision, Target
from app.errors import AppError
from app.i18n import _
from app.library.model_words import short_obstacle

if TYPE_CHECKING:
    from app.library.card import ModelCard


@dataclass(frozen=True)
class Choice:
    """One row of the target chooser. `available` None: not known yet."""

    target: Target
    available: bool | None
    reason: str
    """Why it is not available; empty when it is."""
    detail: str
    """The device's name, or the cause behind the reason."""
    on: bool
    precision: Precision
    obstacle: AppError | None = None
    """Why it cannot run the chosen model."""

    @property
    def is_usable(self) -> bool:
        """Whether it is there and can run the chosen model."""
        return bool(self.available) and self.obstacle is None

    @property
    def short_reason(self) -> str:
        """Why it is not usable, for one line; empty when it is."""
        if self.reason or self.obstacle is None:
            return self.reason
        return short_obstacle(self.obstacle)

    @property
    def whole_reason(self) -> str:
        """Everything that there is to say of it, for the tool tip."""
        said = (self.reason, self.detail) if self.reason else (str(self.obstacle or ""), self.detail)
        return "\n".join(part for part in said if part)


@dataclass(frozen=True)
class Lack:
    """Why no engine is at work."""

    sentences: tuple[str, ...]
    is_of_the_model: bool = False
    """The model is the reason: looking into it helps."""
    is_passing: bool = False
    """It changes by itself."""


def lack_of_lanes(model: ModelCard | None, choices: Sequence[Choice]) -> Lack:
    """What to say, and do, while no engine is at work."""
    if model is None:
        return Lack((_("There is no model. Add one: a .mlpackage or .mlmodel."),))
    present = [choice for choice in choices if choice.available]
    if any(choice.is_usable for choice in present):
        return Lack((_("No engine is switched on. Tick one under Engines."),))
    if any(choice.available is None for choice in choices):
        return Lack((_("Looking for the engines of this machine…"),), is_passing=True)
    if present:
        return Lack(tuple(dict.fromkeys(str(choice.obstacle) for choice in present)), is_of_the_model=True)
    return Lack((_("This machine has no engine that can run a model."),))
