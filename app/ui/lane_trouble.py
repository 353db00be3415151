"""What a card shows of a lane that cannot go on: why, a button, and the figures that it measured before."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui import lane_words
from app.ui.lane_state import LaneState
from app.ui.top_bars import TopBars
from app.ui.words import CutWords, Words

LAST_ANSWERS = 3
"""So many fit below a sentence of four lines without a card that is taller than its neighbours."""


class LaneTrouble(QWidget):
    """Shows a `LaneState` with trouble; `pressed` is the wish that its one button stands for."""

    pressed = Signal()

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        self._sentence = Words("secondary_text")
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton()
        self._button.clicked.connect(self.pressed)
        column.addWidget(self._sentence)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        self._last = self._make_last(colour)
        column.addWidget(self._last)
        column.addStretch(1)

    def _make_last(self, colour: str) -> QWidget:
        last = QWidget()
        column = QVBoxLayout(last)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._number = Words("secondary_text", weight=QFont.Weight.DemiBold)
        self._when, self._what = CutWords("secondary_text", 0.9), CutWords("secondary_text")
        self._rate = CutWords("secondary_text")
        self._bars = TopBars(colour)
        self._bars.setAccessibleName(_("Likeliest answers"))
        row.addWidget(self._number)
        row.addWidget(self._what, 1)
        column.addWidget(self._when)
        column.addLayout(row)
        column.addWidget(self._rate)
        column.addWidget(self._bars)
        return last

    def show_state(self, state: LaneState) -> None:
        """Draw this and forget what was drawn before."""
        sentence, button = lane_words.trouble(state)
        self._sentence.setText(sentence)
        self._sentence.use_tone("text" if state.error is not None else "secondary_text")
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._button.setAccessibleName(f"{button}: {state.target.shown_name}")
        self._last.setVisible(lane_words.has_last_figures(state))
        number, unit, what = lane_words.big_number(state)
        self._number.setText(f"{number} {unit}".strip())
        self._number.setToolTip(lane_words.number_details(state))
        self._when.setText(lane_words.when_line(state))
        self._what.setText(what)
        self._rate.setText(lane_words.rate_line(state))
        self._rate.setVisible(state.live is not None)
        self._bars.show_answers(state.top, min(LAST_ANSWERS, state.shown_answers), True)
