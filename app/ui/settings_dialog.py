"""The settings: everything takes effect at once, so there is nothing to confirm."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QSpinBox, QWidget

from app.engine.targets import TARGETS
from app.i18n import LANGUAGES, N_, _
from app.settings import SETTINGS
from app.ui.preferences import Preferences

_APPEARANCES = (("system", N_("Like the system")), ("light", N_("Light")), ("dark", N_("Dark")))
_ROWS = {row.key: row for row in SETTINGS}


class SettingsDialog(QDialog):
    """Not modal: the window goes on and shows what changes."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._form = QFormLayout(self)
        self._form.setContentsMargins(24, 24, 24, 16)
        self._form.setHorizontalSpacing(16)
        self._form.setVerticalSpacing(12)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._labels: dict[str, QLabel] = {}
        self._language = self._add_choice("language")
        self._theme = self._add_choice("theme")
        self._baseline = self._add_choice("baseline")
        self._top = QSpinBox()
        allowed = _ROWS["top"].allowed
        assert isinstance(allowed, range)
        self._top.setRange(allowed[0], allowed[-1])
        self._top.valueChanged.connect(lambda count: preferences.set("top", count))
        self._add_row("top", self._top)
        self._log = QCheckBox()
        self._log.clicked.connect(lambda on: preferences.set("log_scale", on))
        self._form.addRow("", self._log)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.close)
        self._form.addRow(self._buttons)
        preferences.changed.connect(self._show)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _add_choice(self, key: str) -> QComboBox:
        chooser = QComboBox()
        chooser.setObjectName(f"setting-{key}")
        chooser.setMinimumContentsLength(22)
        chooser.activated.connect(lambda place: self._preferences.set(key, chooser.itemData(place)))
        self._add_row(key, chooser)
        return chooser

    def _add_row(self, key: str, field: QWidget) -> None:
        label = QLabel()
        label.setBuddy(field)
        self._labels[key] = label
        self._form.addRow(label, field)

    def _retranslate(self) -> None:
        self.setWindowTitle(_("Settings"))
        for key, label in self._labels.items():
            label.setText(_(_ROWS[key].label))
            label.buddy().setAccessibleName(label.text())
        self._log.setText(_(_ROWS["log_scale"].label))
        _fill(self._language, [("system", _("Like the system")), *LANGUAGES.items()])
        _fill(self._theme, [(key, _(text)) for key, text in _APPEARANCES])
        automatic = _("automatic (MLX · CPU, else the first engine)")
        _fill(self._baseline, [("auto", automatic), *((one.id, one.shown_name) for one in TARGETS)])
        self._show()

    def _show(self) -> None:
        settings = self._preferences.settings
        for key, chooser in (("language", self._language), ("theme", self._theme), ("baseline", self._baseline)):
            chooser.setCurrentIndex(max(0, chooser.findData(settings.get(key))))
        self._top.setValue(settings.get("top"))
        self._log.setChecked(settings.get("log_scale"))


def _fill(chooser: QComboBox, rows: list[tuple[str, str]]) -> None:
    chooser.clear()
    for data, text in rows:
        chooser.addItem(text, data)
