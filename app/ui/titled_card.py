"""A card with a small heading and whatever stands below it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui.card import Card
from app.ui.words import section_title


class TitledCard(Card):
    """`body` lays out what is below the heading."""

    def __init__(self, *parts: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 16)
        self.body.setSpacing(8)
        self._title = section_title("")
        self.body.addWidget(self._title)
        for part in parts:
            self.body.addWidget(part)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self.setAccessibleName(title)
