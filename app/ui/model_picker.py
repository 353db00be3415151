"""The list of models: one is chosen; own ones can be added, renamed and removed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QApplication, QButtonGroup, QPushButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.cut_radio import CutRadioButton
from app.ui.model_row import ModelRow
from app.ui.words import section_title

if TYPE_CHECKING:
    from app.library.card import ModelCard


class ModelPicker(QWidget):
    """Radio buttons, one a model, and "Add model…". Every wish carries the model's card."""

    model_wished = Signal(object)
    add_wished = Signal()
    rename_wished = Signal(object, str)
    remove_wished = Signal(object)
    inspect_wished = Signal(object)
    place_wished = Signal(object)
    rows_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("model-picker")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._title = section_title("")
        self._column.addWidget(self._title)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._column.addLayout(self._rows)
        self._add = QPushButton()
        self._add.setObjectName("add-model")
        self._add.clicked.connect(self.add_wished)
        self._column.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        self._group = QButtonGroup(self)
        self._shown: list[ModelRow] = []
        self._retranslate()

    def show_models(self, cards: list[ModelCard], chosen: ModelCard | None) -> None:
        """All of `cards`, with `chosen` marked."""
        if cards != [row.card for row in self._shown]:
            self._fill(cards)
        if chosen is not None:
            self.show_chosen(chosen)

    def show_chosen(self, chosen: ModelCard) -> None:
        for row in self._shown:
            row.button.setChecked(row.card.path == chosen.path)

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return [*(control for row in self._shown for control in row.controls()), self._add]

    def buttons(self) -> list[CutRadioButton]:
        """One a model, in the order of the list."""
        return [row.button for row in self._shown]

    def rows(self) -> list[ModelRow]:
        return list(self._shown)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            chosen = next((row.card for row in self._shown if row.button.isChecked()), None)
            self._fill([row.card for row in self._shown])
            if chosen is not None:
                self.show_chosen(chosen)

    def _fill(self, cards: list[ModelCard]) -> None:
        holder = QApplication.focusWidget()
        focused = next((row.card.path for row in self._shown if holder and row.isAncestorOf(holder)), None)
        for row in self._shown:
            row.stop_editing()
            self._group.removeButton(row.button)
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._shown = [self._make_row(card) for card in cards]
        for row in self._shown:
            self._rows.addWidget(row)
            if row.card.path == focused:
                row.button.setFocus()
        self.rows_changed.emit()

    def _make_row(self, card: ModelCard) -> ModelRow:
        row = ModelRow(card)
        row.wished.connect(partial(self.model_wished.emit, card))
        row.rename_wished.connect(partial(self.rename_wished.emit, card))
        row.remove_wished.connect(partial(self.remove_wished.emit, card))
        row.inspect_wished.connect(partial(self.inspect_wished.emit, card))
        row.place_wished.connect(partial(self.place_wished.emit, card))
        self._group.addButton(row.button)
        return row

    def _retranslate(self) -> None:
        self._title.setText(_("Model"))
        self._add.setText(_("Add model…"))
        self._add.setToolTip(_("A Core ML model: .mlpackage or .mlmodel. It is copied into your library."))
        self.setAccessibleName(_("Model"))
