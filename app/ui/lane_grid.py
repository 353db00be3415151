"""The cards of all lanes, in as many columns as fit."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from app.i18n import _
from app.ui.choices import Lack
from app.ui.lane_card import NARROWEST, LaneCard
from app.ui.lane_state import LaneState
from app.ui.no_lanes import NoLanes

GAP = 12


def even_columns(cards: int, fit: int) -> int:
    """Columns for `cards` of which `fit` find room side by side: as few rows as can be, filled as evenly as can be."""
    rows = math.ceil(cards / max(1, fit))
    return math.ceil(cards / rows)


class LaneGrid(QScrollArea):
    """Scrolls up and down only; says what to do while there is no lane."""

    cancel_wished = Signal(str)
    restart_wished = Signal(str)
    inspect_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lane-grid")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._cards: dict[str, LaneCard] = {}
        self._columns = 0
        inside = QWidget()
        inside.setAutoFillBackground(False)
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._empty = NoLanes()
        self._empty.inspect_wished.connect(self.inspect_wished)
        self._grid.addWidget(self._empty, 0, 0)
        self.setWidget(inside)
        self.setMinimumWidth(NARROWEST + 16)
        self._retranslate()

    def show_lanes(self, states: list[LaneState], lack: Lack | None = None) -> None:
        """Exactly these cards in this order; cards that stay are kept. `lack` says why there are none."""
        keys = [state.lane.key for state in states]
        for key in [key for key in self._cards if key not in keys]:
            card = self._cards.pop(key)
            self._grid.removeWidget(card)
            card.deleteLater()
        for state in states:
            if state.lane.key not in self._cards:
                self._cards[state.lane.key] = self._new_card(state)
        self._cards = {key: self._cards[key] for key in keys}
        if lack is not None:
            self._empty.show_lack(lack)
        self._empty.setVisible(not keys)
        self._columns = 0
        self._arrange()

    def show_state(self, state: LaneState) -> None:
        card = self._cards.get(state.lane.key)
        if card is not None:
            card.show_state(state)

    def cards(self) -> list[LaneCard]:
        return list(self._cards.values())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _new_card(self, state: LaneState) -> LaneCard:
        card = LaneCard(state)
        card.cancel_wished.connect(self.cancel_wished)
        card.restart_wished.connect(self.restart_wished)
        return card

    def _arrange(self) -> None:
        count = len(self._cards)
        if not count:
            return
        columns = even_columns(count, (self.viewport().width() + GAP) // (NARROWEST + GAP))
        if columns == self._columns:
            return
        for column in range(max(self._columns, columns) + 1):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._columns = columns
        for place, card in enumerate(self._cards.values()):
            self._grid.addWidget(card, place // columns, place % columns, Qt.AlignmentFlag.AlignTop)

    def _retranslate(self) -> None:
        self.setAccessibleName(_("Results of each engine"))
