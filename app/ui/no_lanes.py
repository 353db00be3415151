"""What stands in place of the cards while no engine is at work: why, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.choices import Lack
from app.ui.words import Words


class NoLanes(QWidget):
    """Shows a `Lack`."""

    inspect_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        self._words = Words("secondary_text")
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._inspect = QPushButton()
        self._inspect.setObjectName("inspect-model")
        self._inspect.clicked.connect(self.inspect_wished)
        column.addStretch(1)
        column.addWidget(self._words)
        column.addWidget(self._inspect, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        self._retranslate()

    def show_lack(self, lack: Lack) -> None:
        self._words.setText("\n\n".join(lack.sentences))
        self._inspect.setVisible(lack.is_of_the_model)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._inspect.setText(_("Inspect the model"))
