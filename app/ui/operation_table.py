"""Which operations a model is made of, how often, and which of them MLX lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.i18n import _
from app.ui.card import lay_on_card
from app.ui.theme import current_theme
from app.ui.theme_change import ThemeChanged

if TYPE_CHECKING:
    from app.compiler.inspection.report import OperationCount

MOST_ROWS = 12
"""More are scrolled to."""


class OperationTable(QTableWidget):
    """What MLX lacks stands on top, in the colour of errors."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self._operations: tuple[OperationCount, ...] = ()
        self.setObjectName("operations")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        lay_on_card(self)
        self._retranslate()

    def show_operations(self, operations: tuple[OperationCount, ...]) -> None:
        """Draw these and forget what was drawn before."""
        self._operations = tuple(sorted(operations, key=lambda one: one.supported))
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self._fill()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            lay_on_card(self)
            self._fill()

    def _fill(self) -> None:
        self.setRowCount(len(self._operations))
        wrong = QBrush(QColor(current_theme().error))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, one in enumerate(self._operations):
            for column, text in enumerate((one.kind, f"{one.count:,}", _("yes") if one.supported else _("no"))):
                item = QTableWidgetItem(text)
                if column == 1:
                    item.setTextAlignment(right)
                if not one.supported:
                    item.setForeground(wrong)
                    item.setToolTip(_("MLX cannot run “{operation}”.").format(operation=one.kind))
                self.setItem(row, column, item)
        self.resizeRowsToContents()
        rows = min(MOST_ROWS, len(self._operations))
        height = self.horizontalHeader().sizeHint().height() + sum(self.rowHeight(row) for row in range(rows))
        self.setFixedHeight(height + 2 * self.frameWidth())

    def _retranslate(self) -> None:
        self.setHorizontalHeaderLabels([_("operation"), _("count"), "MLX"])
        self.setAccessibleName(_("Operations"))
