"""The table of lowerings: MIL op type -> the function that runs it on MLX.

A lowering's parameters are named like the MIL inputs, and their annotations say how they want them:
`mx.array` a tensor, `Wide` one whose constants stay float32, `tuple[int, ...]`, `int`, `float`, `bool`, `str` a plain
Python value, `Sequence[mx.array]` several tensors. A MIL input that the function does not name is a defect and raises
when the function is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Lowering = Callable[..., Any]


class Axes(Enum):
    """How an operation looks at the axes of its tensors; what the layout and batch passes need to know of it."""

    ELEMENTWISE = "elementwise"
    """Every tensor broadcasts, no axis has a meaning."""
    SPATIAL = "spatial"
    """N, C, then space. Takes `channels_last`, true when the tensors are N, space, C and weights O, space, I."""
    NAMED = "named"
    """One tensor; its axes are named by the input `axis` or `axes`. Keeps its rank, or drops the named axes."""
    DECLARED = "declared"
    """Wants its tensors as MIL declares them."""


@dataclass(frozen=True)
class Lowered:
    """One row of the table."""

    function: Lowering
    axes: Axes
    parameters: Mapping[str, str]
    """Parameter name -> its annotation as text."""


TABLE: dict[str, Lowered] = {}


class NotCovered(Exception):
    """A lowering meets an attribute that it cannot follow; the text names op and attribute: "pad (mode=wrap)"."""


def lowers(*kinds: str, axes: Axes = Axes.DECLARED) -> Callable[[Lowering], Lowering]:
    """Register the decorated function for these op types. Raises ValueError when one has a function already."""

    def register(function: Lowering) -> Lowering:
        # Annotations are text, every file of ops/ has `from __future__ import annotations`.
        parameters = {name: str(p.annotation) for name, p in inspect.signature(function).parameters.items()}
        for kind in kinds:
            if kind in TABLE:
                raise ValueError(f"{kind} is lowered twice: {TABLE[kind].function} and {function}")
            TABLE[kind] = Lowered(function, axes, parameters)
        return function

    return register
