"""Run once, run live, stop; and the one sentence about lanes that run together."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.theme_change import ThemeChanged
from app.ui.words import Words


class RunBar(QWidget):
    live_wished = Signal(bool)
    once_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._together = Words("secondary_text", 0.9)
        self._together.setWordWrap(True)
        self._together.hide()
        column.addWidget(self._together)
        self._live = QPushButton()
        self._live.setObjectName("run-live")
        self._live.setCheckable(True)
        self._colour_live()
        self._live.clicked.connect(self._on_live_clicked)
        self._once = QPushButton()
        self._once.setObjectName("run-once")
        self._once.clicked.connect(self.once_wished)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._live, 3)
        row.addWidget(self._once, 2)
        column.addLayout(row)
        self._retranslate()

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return [self._live, self._once]

    def show_live(self, live: bool) -> None:
        self._live.setChecked(live)
        self._once.setEnabled(not live)
        self._retranslate()

    def show_together(self, lanes: int) -> None:
        """How many lanes run at the same moment."""
        self._together.setVisible(lanes > 1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            self._colour_live()

    def _on_live_clicked(self, on: bool) -> None:
        self._live.setChecked(not on)  # it shows what is so; the wish may not come true
        self.live_wished.emit(on)

    def _colour_live(self) -> None:
        """The one button that matters most is filled with the accent colour, where the style lets us."""
        palette = QApplication.palette()
        palette.setColor(QPalette.ColorRole.Button, palette.color(QPalette.ColorRole.Accent))
        palette.setColor(QPalette.ColorRole.ButtonText, palette.color(QPalette.ColorRole.HighlightedText))
        self._live.setPalette(palette)

    def _retranslate(self) -> None:
        live = self._live.isChecked()
        self._live.setText(_("Stop") if live else _("Run live"))
        self._live.setToolTip(_("Stop measuring (Space)") if live else _("Measure without end (Space)"))
        self._live.setAccessibleName(self._live.text())
        self._once.setText(_("Run once"))
        self._once.setToolTip(_("Classify this photo again"))
        self._together.setText(
            _("Lanes run together: they slow each other down. Switch on one engine at a time for its own speed.")
        )
