"""Where the window keeps its settings: QSettings of the platform, or the INI file that DYNO_SETTINGS_FILE names."""

from __future__ import annotations

import logging
import os

from PySide6.QtCore import QSettings

log = logging.getLogger(__name__)


class QtStore:
    """A `settings.Store` over QSettings, which is safe to share between processes."""

    def __init__(self) -> None:
        file = os.environ.get("DYNO_SETTINGS_FILE")
        self._settings = QSettings(file, QSettings.Format.IniFormat) if file else QSettings()
        if self._settings.status() != QSettings.Status.NoError:
            log.warning("settings %s cannot be read: %s", self._settings.fileName(), self._settings.status().name)

    def read(self, key: str) -> str | None:
        value = self._settings.value(key)
        if isinstance(value, list):  # an INI value with commas comes back as a list
            return ", ".join(str(part) for part in value)
        return None if value is None else str(value)

    def write(self, key: str, text: str) -> None:
        self._settings.setValue(key, text)
