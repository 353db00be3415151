"""Errors and notices in a line at the top of the page: dismissed by a click, never a dialog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.card import Card
from app.ui.theme import current_theme
from app.ui.theme_change import ThemeChanged
from app.ui.words import Words

AT_MOST = 3
Kind = Literal["error", "notice"]


@dataclass(frozen=True)
class Offered:
    """A button in a banner."""

    label: str
    act: Callable[[], None]
    undoes: bool = False
    """It takes back what was done: the menu's Undo does the same as long as the banner is there."""


class Banner(Card):
    """One message with an optional button."""

    def __init__(self, text: str, kind: Kind, offered: Offered | None, parent: Banners) -> None:
        super().__init__(parent)
        self.text, self.offered = text, offered
        self._kind = kind
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        self._sign = Words("error" if kind == "error" else "secondary_text", 1.2)
        self._sign.setText("⚠" if kind == "error" else "ⓘ")
        row.addWidget(self._sign)
        words = Words()
        words.setText(text)
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(words, 1)
        if offered is not None:
            button = QPushButton(offered.label)
            button.clicked.connect(offered.act)
            button.clicked.connect(lambda: parent.dismiss(self))
            row.addWidget(button)
        close = QToolButton()
        close.setText("✕")
        close.setAutoRaise(True)
        close.setAccessibleName(_("Dismiss this message"))
        close.setToolTip(_("Dismiss"))
        close.clicked.connect(lambda: parent.dismiss(self))
        row.addWidget(close)
        self._colour_edge()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            self._colour_edge()

    def _colour_edge(self) -> None:
        theme = current_theme()
        self.edge = QColor(theme.error if self._kind == "error" else theme.accent)


class Banners(QWidget):
    """The newest messages, newest on top; takes no room while there are none."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._shown: list[Banner] = []
        self.hide()

    def say(self, text: str, kind: Kind = "error", offered: Offered | None = None) -> None:
        """Show `text`; the same text again only moves to the top."""
        for same in [banner for banner in self._shown if banner.text == text]:
            self.dismiss(same)
        for oldest in self._shown[AT_MOST - 1 :]:
            self.dismiss(oldest)
        banner = Banner(text, kind, offered, self)
        self._shown.insert(0, banner)
        self._column.insertWidget(0, banner)
        self.show()
        self.changed.emit()

    def dismiss(self, banner: Banner) -> None:
        if banner in self._shown:
            self._shown.remove(banner)
            self._column.removeWidget(banner)
            banner.deleteLater()
        self.setVisible(bool(self._shown))
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        """Whether something can be taken back."""
        return self._undoing() is not None

    def undo(self) -> None:
        """Take back what was done last."""
        banner = self._undoing()
        if banner is not None and banner.offered is not None:
            self.dismiss(banner)
            banner.offered.act()

    def _undoing(self) -> Banner | None:
        return next((banner for banner in self._shown if banner.offered and banner.offered.undoes), None)

    def dismiss_all(self) -> None:
        for banner in list(self._shown):
            self.dismiss(banner)

    def texts(self) -> list[str]:
        """What is being said, newest first."""
        return [banner.text for banner in self._shown]
