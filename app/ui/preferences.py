"""Settings that change how the window looks or works: kept and carried out at once."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QLibraryInfo, QObject, QTranslator, Signal
from PySide6.QtWidgets import QApplication

from app.i18n import use_language
from app.paths import resource
from app.settings import Settings, Value
from app.ui.appearance import apply_appearance
from app.ui.fonts import apply_language_font


class Preferences(QObject):
    """`changed(key)` after a setting was kept; language and appearance are carried out here."""

    changed = Signal(str)

    def __init__(self, app: QApplication, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self._app = app
        self._qt_translator: QTranslator | None = None

    def apply_all(self) -> None:
        """At the start, before there is a window."""
        self._apply_language()
        apply_appearance(self._app, self.settings.get("theme"))

    def set(self, key: str, value: Value) -> None:
        """Keep it and carry it out. Setting what is set already does nothing."""
        if self.settings.get(key) == value:
            return
        self.settings.set(key, value)
        if key == "language":
            self._apply_language()
        elif key == "theme":
            apply_appearance(self._app, self.settings.get("theme"))
        self.changed.emit(key)

    def _apply_language(self) -> None:
        language = use_language(self.settings.get("language"), resource("locale"))
        if self._qt_translator is not None:
            self._app.removeTranslator(self._qt_translator)
            self._qt_translator = None
        translator = QTranslator(self)
        # Qt's own words: the buttons and menus of its dialogs.
        if translator.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            self._app.installTranslator(translator)
            self._qt_translator = translator
        apply_language_font(self._app, language)
        for window in self._app.topLevelWidgets():
            QCoreApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))
