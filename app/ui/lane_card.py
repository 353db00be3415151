"""The card of one lane: its colour, its numbers, its answers, and what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.i18n import _
from app.ui import lane_words
from app.ui.card import Card
from app.ui.lane_state import LaneState, Phase
from app.ui.lane_trouble import LaneTrouble
from app.ui.swatch import Swatch
from app.ui.theme import current_theme
from app.ui.theme_change import ThemeChanged
from app.ui.top_bars import TopBars
from app.ui.words import CutWords, Words

NARROWEST, WIDEST = 200, 420


class LaneCard(Card):
    """Shows a `LaneState`; emits the wishes that its one button stands for."""

    cancel_wished = Signal(str)
    restart_wished = Signal(str)

    def __init__(self, state: LaneState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = state.lane.key
        self._state = state
        self.setObjectName(f"lane-card-{state.target.id}")
        self.setMinimumWidth(NARROWEST)
        self.setMaximumWidth(WIDEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        column.addWidget(Swatch(state.target, across=True))
        column.addSpacing(4)
        self._name = CutWords(weight=QFont.Weight.DemiBold)
        column.addWidget(self._name)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_numbers(state))
        self._trouble = LaneTrouble(state.target.colour)
        self._trouble.pressed.connect(self._on_button)
        self._pages.addWidget(self._trouble)
        column.addWidget(self._pages)
        self.show_state(state)

    @property
    def state(self) -> LaneState:
        """What the card shows."""
        return self._state

    def show_state(self, state: LaneState) -> None:
        """Draw this and forget what was drawn before."""
        self._state = state
        self._name.setText(state.target.shown_name)
        self._precision.setText(lane_words.shown_precision(state.lane.precision))
        in_trouble = bool(lane_words.trouble(state)[0])
        self._pages.setCurrentIndex(1 if in_trouble else 0)
        if in_trouble:
            self._trouble.show_state(state)
            self._colour_edge(state.error is not None)
        else:
            self._show_numbers(state)
        self.setAccessibleName(lane_words.spoken(state))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.show_state(self._state)

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            self.show_state(self._state)

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_numbers(self, state: LaneState) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._make_big_number())
        self._rate = CutWords("secondary_text")
        self._speed = CutWords(weight=QFont.Weight.DemiBold)
        self._bars = TopBars(state.target.colour)
        self._bars.setAccessibleName(_("Likeliest answers"))
        self._memory = Words("secondary_text")
        self._agreement = CutWords("secondary_text")
        self._agreement.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._device = CutWords("secondary_text", 0.9)
        for part in (self._rate, self._speed):
            column.addWidget(part)
        column.addSpacing(4)
        column.addWidget(self._bars)
        column.addSpacing(4)
        last = QHBoxLayout()
        last.setSpacing(8)
        last.addWidget(self._memory)
        last.addWidget(self._agreement, 1)
        column.addLayout(last)
        column.addWidget(self._device)
        column.addStretch(1)
        return page

    def _make_big_number(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        self._number = Words(size=2.2, weight=QFont.Weight.DemiBold)
        self._number.setObjectName("big-number")
        self._unit = Words("secondary_text", 1.2)
        self._precision, self._what = CutWords("secondary_text", 0.9), CutWords("secondary_text", 0.9)
        for part in (self._number, self._unit):
            part.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignBaseline)
        beside = QVBoxLayout()
        beside.setSpacing(0)
        beside.addWidget(self._precision)
        beside.addWidget(self._what)
        row.addSpacing(4)
        row.addLayout(beside, 1)
        return row

    # --- showing ----------------------------------------------------------------------------------------------------

    def _show_numbers(self, state: LaneState) -> None:
        number, unit, _what = lane_words.big_number(state)
        tone = "secondary_text" if state.stale else "text"
        self._number.setText(number)
        self._number.use_tone(tone)
        self._number.setToolTip(lane_words.number_details(state))
        self._unit.setText(unit)
        self._what.setText(lane_words.what_line(state))
        self._rate.setText(lane_words.rate_line(state))
        self._speed.setText(lane_words.speed_line(state))
        self._speed.use_tone("secondary_text" if state.stale or (state.speed and state.speed.is_baseline) else "text")
        self._speed.setVisible(bool(self._speed.text()))
        self._bars.show_answers(state.top, state.shown_answers, state.stale)
        self._memory.setText(lane_words.memory_line(state.memory))
        self._memory.setToolTip(lane_words.memory_details(state.memory))
        says, agreement_tone = lane_words.agreement_line(state)
        self._agreement.setText(says)
        self._agreement.use_tone(agreement_tone)
        self._device.setText(lane_words.device_line(state))
        self._colour_edge(agreement_tone == "error")

    def _colour_edge(self, wrong: bool) -> None:
        self.edge = QColor(current_theme().error) if wrong else None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, super().sizeHint().height())

    def _on_button(self) -> None:
        if self._state.phase is Phase.LOADING:
            self.cancel_wished.emit(self.key)
        else:
            self.restart_wished.emit(self.key)
