"""The few switches above the charts."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from app.i18n import _
from app.ui.charts.buffer import Clock
from app.ui.charts.recording import Recording
from app.ui.charts.time_window import SPANS_S


class Controls(QWidget):
    """Emits wishes and shows what came of them."""

    pause_asked = Signal(bool)
    log_asked = Signal(bool)
    clock_asked = Signal(Clock)
    span_asked = Signal(float)
    reset_asked = Signal()
    copy_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.span, self.clock = QComboBox(), QComboBox()
        self.log, self.pause, self.reset, self.copy = QToolButton(), QToolButton(), QToolButton(), QToolButton()
        self.log.setCheckable(True)
        self.pause.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for part in (self.reset, self.log, self.span, self.clock, self.pause, self.copy):
            row.addWidget(part)
        for seconds in SPANS_S:
            self.span.addItem("", seconds)
        for clock in Clock:
            self.clock.addItem("", clock)
        self.log.hide()
        self.reset.hide()
        self.log.toggled.connect(self.log_asked)
        self.pause.toggled.connect(self.pause_asked)
        self.reset.clicked.connect(self.reset_asked)
        self.copy.clicked.connect(self.copy_asked)
        self.span.activated.connect(lambda: self.span_asked.emit(self.span.currentData()))
        self.clock.activated.connect(lambda: self.clock_asked.emit(Clock(self.clock.currentData())))

    def show_state(self, recording: Recording, log_offered: bool, zoomed: bool) -> None:
        """Show what is chosen. The logarithm is offered only where it helps, the way back only from a zoom."""
        self.log.setVisible(log_offered or recording.log)
        self.reset.setVisible(zoomed)
        for button, on in ((self.log, recording.log), (self.pause, recording.time.paused)):
            button.blockSignals(True)
            button.setChecked(on)
            button.blockSignals(False)
        self.span.setCurrentIndex(SPANS_S.index(recording.time.span_s))
        self.clock.setCurrentIndex(list(Clock).index(recording.clock))

    def retranslate(self) -> None:
        """Say everything in the current language."""
        for at, text in enumerate((_("30 seconds"), _("5 minutes"), _("1 hour"))):
            self.span.setItemText(at, text)
        for at, text in enumerate((_("Engine clock"), _("End to end"))):
            self.clock.setItemText(at, text)
        names = (
            (self.span, "", _("Time in sight"), _("How far back the charts reach")),
            (
                self.clock,
                "",
                _("Clock"),
                _("Engine: the inference alone. End to end: from the decoded photo to the labels"),
            ),
            (
                self.log,
                _("Log scale"),
                _("Logarithmic scale"),
                _("Show lanes that differ by more than 20 times side by side"),
            ),
            (self.pause, _("Pause"), _("Pause the charts"), _("Hold the picture; measuring goes on")),
            (
                self.reset,
                _("Show all"),
                _("Reset zoom"),
                _("Back from the zoom; a double click on a chart does the same"),
            ),
            (
                self.copy,
                _("Copy"),
                _("Copy the charts as a picture"),
                _("Put a picture of the charts on the clipboard"),
            ),
        )
        for part, text, name, tip in names:
            if isinstance(part, QToolButton):
                part.setText(text)
            part.setAccessibleName(name)
            part.setToolTip(tip)
