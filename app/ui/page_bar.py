"""The bar of pages above them; hidden while there is only one."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.i18n import _
from app.ui.pages import Page


class PagedArea(QWidget):
    """All pages, one in front; ⌘1, ⌘2, … bring one to the front. `above` stands between the bar and every page."""

    def __init__(
        self, rows: list[tuple[Page, QWidget]], above: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._pages = [page for page, _widget in rows]
        self._bar, self._stack = QTabBar(), QStackedWidget()
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.currentChanged.connect(self._stack.setCurrentIndex)
        for number, (_page, widget) in enumerate(rows, start=1):
            self._stack.addWidget(widget)
            self._bar.addTab("")
            keys = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            keys.activated.connect(lambda place=number - 1: self._bar.setCurrentIndex(place))
        self._bar.setVisible(len(rows) > 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        beside = QHBoxLayout()  # the bar begins where the pages' own contents do
        beside.setContentsMargins(8, 4, 0, 0)
        beside.addWidget(self._bar)
        beside.addStretch(1)
        column.addLayout(beside)
        if above is not None:
            column.addWidget(above)
        column.addWidget(self._stack, 1)
        self._retranslate()

    def show_page(self, page_id: str) -> None:
        """Bring that page to the front."""
        self._bar.setCurrentIndex([page.id for page in self._pages].index(page_id))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._bar.setAccessibleName(_("Pages"))
        for place, page in enumerate(self._pages):
            self._bar.setTabText(place, _(page.title))
