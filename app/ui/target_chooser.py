"""Which engines take part: one check box a target in the order of the table; what is missing says why."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.choices import Choice
from app.ui.lane_words import shown_precision
from app.ui.swatch import Swatch
from app.ui.words import CutWords, section_title


@dataclass
class _Row:
    box: QCheckBox
    swatch: Swatch
    precision: QComboBox
    reason: CutWords


class TargetChooser(QWidget):
    """Emits a wish for each change; shows what it is told."""

    switch_wished = Signal(str, bool)
    precision_wished = Signal(str, str)

    def __init__(self, choices: list[Choice], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("target-chooser")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._title = section_title("")
        column.addWidget(self._title)
        column.addSpacing(4)
        self._rows: dict[str, _Row] = {}
        for choice in choices:
            self._rows[choice.target.id] = self._make_row(choice, column)
        self._choices = choices
        self._retranslate()

    def show_choices(self, choices: list[Choice]) -> None:
        """State of all targets."""
        self._choices = choices
        for choice in choices:
            row, usable = self._rows[choice.target.id], choice.is_usable
            row.box.setText(choice.target.shown_name)
            row.box.setEnabled(usable)
            row.box.setChecked(usable and choice.on)
            row.box.setToolTip(choice.whole_reason)
            row.swatch.setEnabled(usable)
            row.reason.setText(choice.short_reason)
            row.reason.setToolTip(choice.whole_reason)
            row.reason.setVisible(not usable)
            row.precision.setVisible(usable and len(choice.target.precisions) > 1)
            self._fill_precisions(row.precision, choice)
            row.precision.setToolTip(_("Number format of the computation"))
            row.box.setAccessibleDescription(choice.reason or choice.whole_reason)
            row.precision.setAccessibleName(_("Precision of {target}").format(target=choice.target.shown_name))

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return [part for row in self._rows.values() for part in (row.box, row.precision)]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _make_row(self, choice: Choice, column: QVBoxLayout) -> _Row:
        target_id = choice.target.id
        box, swatch, precision = QCheckBox(), Swatch(choice.target), QComboBox()
        box.setObjectName(f"target-{target_id}")
        box.clicked.connect(lambda on: self.switch_wished.emit(target_id, on))
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        precision.setObjectName(f"precision-{target_id}")
        precision.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        precision.setMinimumContentsLength(5)
        precision.activated.connect(lambda place: self.precision_wished.emit(target_id, precision.itemData(place)))
        reason = CutWords("secondary_text", 0.9)
        reason.setIndent(24)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(box, 1)
        line.addWidget(precision)
        line.addWidget(swatch)
        column.addLayout(line)
        column.addWidget(reason)
        column.addSpacing(4)
        return _Row(box, swatch, precision, reason)

    def _fill_precisions(self, chooser: QComboBox, choice: Choice) -> None:
        chooser.blockSignals(True)
        chooser.clear()
        for precision in choice.target.precisions:
            chooser.addItem(shown_precision(precision), precision)
        chooser.setCurrentIndex(choice.target.precisions.index(choice.precision))
        chooser.blockSignals(False)

    def _retranslate(self) -> None:
        self._title.setText(_("Engines"))
        self.setAccessibleName(_("Engines"))
        self.show_choices(self._choices)
