"""The models that come with the program: resources/models/catalog.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.errors import InternalError
from app.library.card import ModelCard
from app.paths import resource


def built_in_models() -> list[ModelCard]:
    """The models in the order of the catalogue. Raises InternalError when it is damaged."""
    folder = resource("models")
    try:
        rows = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))["models"]
        return [_card(row, folder) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InternalError(cause=f"resources/models/catalog.json: {error!r}") from error


def _card(row: dict[str, Any], folder: Path) -> ModelCard:
    path = folder / row["file"]
    return ModelCard(
        id=row["id"],
        name=row["name"],
        path=path,
        weights=row["weights"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        crop_fraction=row["crop_fraction"],
        interpolation=row["interpolation"],
        built_in=True,
        kind="mlProgram",
        colour="RGB",
        missing=not path.exists(),
    )
