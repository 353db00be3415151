"""A model on its way into the library: which, how far, and a button to give it up."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from app.i18n import _
from app.ui.arrivals import Arrival
from app.ui.card import Card
from app.ui.numbers import MB, show_mb, with_unit
from app.ui.words import CutWords

STEPS = 1000


def arrival_words(arrival: Arrival) -> str:
    """ "Copying “Face.mlmodel”, 12.0 of 80.1 MB (2 of 3)" """
    if arrival.is_copied:
        said = _("Looking into “{model}”…").format(model=arrival.name)
    elif arrival.total_bytes:
        total = with_unit(show_mb(arrival.total_bytes), MB)
        said = _("Copying “{model}”: {done} of {total}").format(
            model=arrival.name, done=show_mb(arrival.done_bytes), total=total
        )
    else:
        said = _("Reading “{model}”…").format(model=arrival.name)
    if arrival.of > 1:
        said += _(" ({number} of {of})").format(number=arrival.number, of=arrival.of)
    return said


class ArrivalLine(Card):
    """Hidden while nothing is on its way."""

    cancel_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("arrival-line")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._arrival: Arrival | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        self._words = CutWords()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(200)
        self._cancel = QPushButton()
        self._cancel.clicked.connect(self.cancel_wished)
        row.addWidget(self._words, 1)
        row.addWidget(self._bar)
        row.addWidget(self._cancel)
        self.hide()
        self._retranslate()

    def text(self) -> str:
        return self._words.text()

    def show_arrival(self, arrival: Arrival | None) -> None:
        self._arrival = arrival
        self.setVisible(arrival is not None)
        if arrival is None:
            return
        self._words.setText(arrival_words(arrival))
        self.setAccessibleName(self._words.text())
        # A range of nothing makes the bar say that there is no telling how long.
        is_told = arrival.total_bytes > 0 and not arrival.is_copied
        self._bar.setRange(0, STEPS if is_told else 0)
        if is_told:
            self._bar.setValue(STEPS * arrival.done_bytes // arrival.total_bytes)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._cancel.setText(_("Cancel"))
        self._cancel.setAccessibleName(_("Cancel adding models"))
        self._bar.setAccessibleName(_("Progress"))
        self.show_arrival(self._arrival)
