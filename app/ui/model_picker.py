"""The list of models: one is chosen; own ones can be added and taken off again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.cut_radio import CutRadioButton
from app.ui.lane_words import DOT
from app.ui.numbers import MB, show_mb, with_unit
from app.ui.words import CutWords, section_title

if TYPE_CHECKING:
    from app.library.catalog import ModelCard


def details_of(card: ModelCard) -> str:
    """ "224 × 224 · 9.39 MB"; the number format of the weights where the name does not say it."""
    if card.missing:
        return _("its file is not there")
    parts = [
        card.weights if card.weights not in card.name else "",
        f"{card.width} × {card.height}" if card.width else "",
        with_unit(show_mb(card.size_bytes), MB),
    ]
    return DOT.join(part for part in parts if part)


class ModelPicker(QWidget):
    """Radio buttons, one a model, and "Add model…"."""

    model_wished = Signal(object)
    add_wished = Signal()
    remove_wished = Signal(object)

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
        self._shown: list[tuple[ModelCard, QWidget, CutRadioButton]] = []
        self._retranslate()

    def show_models(self, cards: list[ModelCard], chosen: ModelCard | None) -> None:
        """All of `cards`, with `chosen` marked."""
        for _card, row, button in self._shown:
            self._group.removeButton(button)
            self._rows.removeWidget(row)
            row.deleteLater()
        self._shown = []
        for card in cards:
            row, button = self._make_row(card)
            button.setChecked(chosen is not None and card.path == chosen.path)
            self._rows.addWidget(row)
            self._shown.append((card, row, button))

    def show_chosen(self, chosen: ModelCard) -> None:
        for card, _row, button in self._shown:
            button.setChecked(card.path == chosen.path)

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        found: list[QWidget] = []
        for _card, row, button in self._shown:
            found += [button, *row.findChildren(QToolButton)]
        return [*found, self._add]

    def buttons(self) -> list[CutRadioButton]:
        """One a model, in the order of the list."""
        return [button for _card, _row, button in self._shown]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            chosen = next((card for card, _row, button in self._shown if button.isChecked()), None)
            self.show_models([card for card, _row, _button in self._shown], chosen)

    def _make_row(self, card: ModelCard) -> tuple[QWidget, CutRadioButton]:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        button = CutRadioButton(card.name)
        button.setToolTip(f"{card.name}\n{card.path}")
        button.setEnabled(not card.missing)
        button.clicked.connect(lambda: self.model_wished.emit(card))
        details = CutWords("secondary_text", 0.9)
        details.setText(details_of(card))
        details.setIndent(24)
        button.setAccessibleName(f"{card.name}, {details.text()}")
        texts.addWidget(button)
        texts.addWidget(details)
        line.addLayout(texts, 1)
        if not card.built_in:
            line.addWidget(self._make_remove(card))
        self._group.addButton(button)
        return row, button

    def _make_remove(self, card: ModelCard) -> QToolButton:
        remove = QToolButton()
        remove.setText("✕")
        remove.setAutoRaise(True)
        remove.setToolTip(_("Take off the list; the file stays"))
        remove.setAccessibleName(_("Take {model} off the list").format(model=card.name))
        remove.clicked.connect(lambda: self.remove_wished.emit(card))
        return remove

    def _retranslate(self) -> None:
        self._title.setText(_("Model"))
        self._add.setText(_("Add model…"))
        self._add.setToolTip(_("A Core ML model: .mlpackage or .mlmodel"))
        self.setAccessibleName(_("Model"))
