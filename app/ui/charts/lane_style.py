"""How a lane looks in every chart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LaneStyle:
    """`key` is `Lane.key`, `name` is shown as it is, `colour` is "#rrggbb", `dash` a key of `app.ui.swatch.DASHES`."""

    key: str
    name: str
    colour: str
    dash: str
