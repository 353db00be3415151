"""Where the window keeps its settings: QSettings of the platform, or the INI file that DYNO_SETTINGS_FILE names."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from PySide6.QtCore import QSettings

from app.i18n import _
from app.paths import shown_path

log = logging.getLogger(__name__)


class QtStore:
    """A `settings.Store` over QSettings, which is safe to share between processes."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] | None = None
        """Told once, in a sentence, that settings cannot be kept."""
        self._is_told = False
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
        """Kept at once. Where that is not possible it holds until the program ends, and `tell` hears of it."""
        self._settings.setValue(key, text)
        self._settings.sync()
        # A damaged file stays a FormatError although it was replaced by a good one.
        if self._settings.status() == QSettings.Status.AccessError and not self._is_told:
            self._is_told = True
            file = shown_path(self._settings.fileName())
            log.warning("settings %s cannot be written", file)
            if self.tell is not None:
                self.tell(_("Your choices cannot be kept: “{file}” cannot be written.").format(file=file))
