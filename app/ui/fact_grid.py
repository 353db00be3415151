"""Names and values in two columns: the values wrap and can be selected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.ui.words import CutWords, Words

LONGEST = 600
"""More of a value than this is only in the tool tip: a description may be a whole page."""

WIDEST_NAME = 136


class FactGrid(QWidget):
    """A name that repeats the one above is left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[str, str]] = []

    def rows(self) -> list[tuple[str, str]]:
        return list(self._rows)

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        """Draw these and forget what was drawn before."""
        if rows == self._rows:
            return
        self._rows = list(rows)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        above = ""
        for place, (name, value) in enumerate(rows):
            shown = self._name("" if name == above else name)
            self._grid.addWidget(shown, place, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(self._value(name, value), place, 1)
            above = name

    def _name(self, name: str) -> CutWords:
        words = CutWords("secondary_text", cut=Qt.TextElideMode.ElideMiddle)
        words.setText(name)
        words.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        words.setFixedWidth(min(WIDEST_NAME, words.fontMetrics().horizontalAdvance(name) + 2))
        return words

    def _value(self, name: str, value: str) -> Words:
        words = Words()
        words.setText(value if len(value) <= LONGEST else value[:LONGEST] + "…")
        words.setToolTip("" if len(value) <= LONGEST else value)
        words.setWordWrap(True)
        # A line of Latin letters is lower than one of Chinese: in the middle of the row it is level with its name.
        words.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setAccessibleName(f"{name}: {value}")
        # As wide as there is room, as high as that width needs.
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        words.setSizePolicy(policy)
        return words
