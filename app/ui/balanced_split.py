"""Photo and cards side by side: shared out by the number of cards until the user moves the line between them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

COMFORTABLE, MOST_COLUMNS = 300, 3
CARDS_SHARE = 0.64
"""The cards' share of the width at most, so that the photo stays the photo."""


class BalancedSplit(QSplitter):
    """Left the photo, right the cards."""

    def __init__(self, left: QWidget, right: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.addWidget(left)
        self.addWidget(right)
        self.setChildrenCollapsible(False)
        self._is_users = False
        self._cards = 1
        self.splitterMoved.connect(self._on_moved)

    @property
    def users_sizes(self) -> tuple[int, int] | None:
        """Where the user put the line; None while it moves by itself."""
        return (self.sizes()[0], self.sizes()[1]) if self._is_users else None

    def use_sizes(self, left: int, right: int) -> None:
        """What the user chose last time."""
        self._is_users = True
        self.setSizes([left, right])

    def show_count(self, cards: int) -> None:
        """Make room for that many cards."""
        if cards != self._cards:
            self._cards = cards
            self._balance()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._balance()

    def _balance(self) -> None:
        if not self._is_users:
            columns = max(1, min(self._cards, MOST_COLUMNS))
            cards = min(columns * COMFORTABLE, int(self.width() * CARDS_SHARE))
            self.setSizes([self.width() - cards, cards])

    def _on_moved(self) -> None:
        self._is_users = True
