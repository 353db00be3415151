"""What was found in a model: cards in two columns, made from one inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.fact_grid import FactGrid
from app.ui.inspect_words import fact_rows, metadata_rows, verdict
from app.ui.label_list import LabelList
from app.ui.operation_table import OperationTable
from app.ui.profile_card import ProfileCard
from app.ui.titled_card import TitledCard
from app.ui.weight_forms import WeightForms
from app.ui.words import CutWords, Words

if TYPE_CHECKING:
    from app.compiler.inspection.report import Inspection
    from app.library.card import ModelCard

GAP = 12
WIDEST = 1500
"""Lines longer than this are hard to follow."""


class InspectReport(QScrollArea):
    """Scrolls up and down only."""

    function_wished = Signal(str)
    copy_text_wished = Signal()
    copy_json_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._card: ModelCard | None = None
        self._found: Inspection | None = None
        self._facts, self._metadata = FactGrid(), FactGrid()
        self.operations, self.weights, self.labels = OperationTable(), WeightForms(), LabelList()
        self.profile = ProfileCard()
        self._facts_card, self._metadata_card = TitledCard(self._facts), TitledCard(self._metadata)
        self._operations_card, self._weights_card = TitledCard(self.operations), TitledCard(self.weights)
        self._labels_card = TitledCard(self.labels)
        inside = QWidget()
        inside.setMaximumWidth(WIDEST)
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(8, 16, 16, 16)
        whole.setSpacing(GAP)
        whole.addLayout(self._make_head())
        columns = QHBoxLayout()
        columns.setSpacing(GAP)
        columns.addLayout(_column(self._facts_card, self.profile, self._metadata_card), 1)
        columns.addLayout(_column(self._weights_card, self._operations_card, self._labels_card), 1)
        whole.addLayout(columns, 1)
        self.setWidget(inside)
        self._retranslate()

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        head = [self._functions, self._copy_text, self._copy_json]
        return [*head, *self.profile.controls(), self.operations, self.labels.search, self.labels.view]

    def show_found(self, card: ModelCard, found: Inspection) -> None:
        """`card` as the list of models shows it."""
        self._card, self._found = card, found
        self._name.setText(card.name)
        runs = found.obstacle is None
        self._verdict.setText(("✓ " if runs else "⚠ ") + verdict(found))
        self._verdict.use_tone("success" if runs else "warning")
        # MLX may run what no engine can show a photo to.
        also = dict.fromkeys(str(one.reason) for one in card.obstacles) if runs else ()
        self._also.setText(" ".join(also))
        self._also.setVisible(bool(also))
        self._fill_functions(found)
        self._facts.show_rows(fact_rows(found))
        rows = metadata_rows(found)
        self._metadata.show_rows(rows)
        self._metadata_card.setVisible(bool(rows))
        self.operations.show_operations(found.operations)
        self.weights.show_weights(found.weights)
        self._weights_card.setVisible(bool(found.weights))
        self.labels.show_labels(found.facts.labels)
        self._labels_card.setVisible(bool(found.facts.labels))
        self.profile.show_verdict(runs)

    def verdict(self) -> str:
        return self._verdict.text()

    def rows(self) -> list[tuple[str, str]]:
        """Names and values of the facts that are shown."""
        return self._facts.rows() + self._metadata.rows()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _make_head(self) -> QHBoxLayout:
        self._name = CutWords(size=1.5, weight=QFont.Weight.DemiBold, cut=Qt.TextElideMode.ElideMiddle)
        self._verdict, self._also = Words(), Words("secondary_text")
        for words in (self._verdict, self._also):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._functions = QComboBox()
        self._functions.setObjectName("function")
        self._functions.activated.connect(lambda place: self.function_wished.emit(self._functions.itemText(place)))
        self._copy_text, self._copy_json = QPushButton(), QPushButton()
        self._copy_text.clicked.connect(self.copy_text_wished)
        self._copy_json.clicked.connect(self.copy_json_wished)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addWidget(self._name)
        texts.addWidget(self._verdict)
        texts.addWidget(self._also)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addLayout(texts, 1)
        for part in (self._functions, self._copy_text, self._copy_json):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _fill_functions(self, found: Inspection) -> None:
        self._functions.clear()
        self._functions.addItems(list(found.facts.functions))
        self._functions.setCurrentText(found.function or "")
        self._functions.setVisible(len(found.facts.functions) > 1)

    def _retranslate(self) -> None:
        self._facts_card.set_title(_("Model"))
        self._metadata_card.set_title(_("What the file says of itself"))
        self._operations_card.set_title(_("Operations"))
        self._weights_card.set_title(_("Weights"))
        self._labels_card.set_title(_("Labels"))
        self.weights.setAccessibleName(_("Weights"))
        self._functions.setAccessibleName(_("Function"))
        self._functions.setToolTip(_("Which function of the file"))
        self._copy_text.setText(_("Copy as text"))
        self._copy_json.setText(_("Copy as JSON"))
        if self._card is not None and self._found is not None:
            self.show_found(self._card, self._found)


def _column(*cards: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(GAP)
    for card in cards:
        column.addWidget(card)
    column.addStretch(1)
    return column
