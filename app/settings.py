"""The one table of settings.

A setting is one row of `SETTINGS`. Values are kept as text by a `Store`; a stored text that does not fit its row is
logged and the default is used instead, so that a damaged or foreign file can never stop the program.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from app.i18n import N_

log = logging.getLogger(__name__)

Value = str | int | bool | tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One row. The type of `default` is the type of the setting. `allowed` lists choices or gives an integer range."""

    key: str
    default: Value
    allowed: tuple[str, ...] | range | None = None
    label: str = ""
    """Shown in the settings dialog; empty for what is remembered without being asked."""


SETTINGS: tuple[Setting, ...] = (
    Setting("language", "system", ("system", "en", "zh_TW"), N_("Language")),
    Setting("theme", "system", ("system", "light", "dark"), N_("Appearance")),
    Setting("baseline", "auto", None, N_("Compare speed with")),
    Setting("top", 5, range(1, 11), N_("Answers shown")),
    Setting("log_scale", False, None, N_("Logarithmic latency scale")),
    Setting("crop", "centre", ("centre", "fit", "stretch")),
    Setting("model", ""),
    Setting("targets_off", ()),
    Setting("targets_seen", ()),
    Setting("precisions", ()),
    Setting("last_folder", ""),
    Setting("geometry", ""),
    Setting("split_page", ()),
    Setting("split_top", ()),
)
_ROWS = {row.key: row for row in SETTINGS}


class Store(Protocol):
    """Where texts are kept."""

    def read(self, key: str) -> str | None: ...

    def write(self, key: str, text: str) -> None: ...


class DefaultsOnly:
    """A store that remembers nothing: every setting has its default."""

    def read(self, key: str) -> str | None:
        return None

    def write(self, key: str, text: str) -> None:
        """Forgotten at once."""


class Settings:
    """Typed access to the table through a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        """The stored value of that row's type, or its default."""
        row = _ROWS[key]
        text = self._store.read(key)
        if text is None:
            return row.default
        try:
            return _checked(row, _from_text(row, text))
        except ValueError as error:
            log.warning("setting %s: %s; using %r", key, error, row.default)
            return row.default

    def set(self, key: str, value: Value) -> None:
        """Keep `value`. Raises ValueError when it does not fit the row: that is a defect of the caller."""
        row = _ROWS[key]
        self._store.write(key, _to_text(_checked(row, value)))


def _from_text(row: Setting, text: str) -> Value:
    if isinstance(row.default, bool):
        if text not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text == "true"
    if isinstance(row.default, int):
        return int(text)
    if isinstance(row.default, tuple):
        return tuple(part for part in text.split("|") if part)
    return text


def _to_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "|".join(value)
    return str(value)


def _checked(row: Setting, value: Value) -> Value:
    if type(value) is not type(row.default):
        raise ValueError(f"{value!r} is not of type {type(row.default).__name__}")
    if row.allowed is not None and value not in row.allowed:
        raise ValueError(f"{value!r} is not one of {row.allowed}")
    return value
