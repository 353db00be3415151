"""The page that looks into the chosen model: what it holds, whether MLX runs it, and where its time goes."""

from __future__ import annotations

import itertools
import time

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.i18n import N_, _
from app.ui.classify_page import SIDEBAR
from app.ui.drop_veil import DropVeil
from app.ui.inspect_report import InspectReport
from app.ui.inspect_words import as_json, as_text
from app.ui.model_side import ModelSide
from app.ui.stand import Stand
from app.ui.words import Words

TITLE = N_("Inspect")
TEXT_EVERY_MS = 500


class InspectPage(QWidget):
    """Looks only while it is in front; what was found stays while the model does."""

    add_model_wished = Signal()
    inspect_wished = Signal(object)

    def __init__(self, stand: Stand, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stand, self._inspector = stand, stand.inspector
        self.report = InspectReport()
        self._side = ModelSide(stand)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_state())
        self._pages.addWidget(self.report)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._make_sidebar())
        row.addWidget(self._pages, 1)
        self.veil = DropVeil(self)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(TEXT_EVERY_MS)
        self._timer.timeout.connect(self._refresh)
        self._timer.start()
        self._order_focus()
        self._show()

    # --- making -----------------------------------------------------------------------------------------------------

    def _make_sidebar(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self._side)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFixedWidth(SIDEBAR)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        return scroll

    def _make_state(self) -> QWidget:
        state = QWidget()
        column = QVBoxLayout(state)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(16)
        self._says = Words("secondary_text", 1.1)
        self._says.setWordWrap(True)
        self._says.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._says.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton()
        self._button.setObjectName("inspect-button")
        self._button.clicked.connect(self._on_button)
        column.addStretch(1)
        column.addWidget(self._says)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        return state

    def _connect(self) -> None:
        stand, lanes, profile = self._stand, self._stand.lanes, self.report.profile
        self._side.add_wished.connect(self.add_model_wished)
        self._side.inspect_wished.connect(self.inspect_wished)
        self._side.rows_changed.connect(self._order_focus)
        stand.model_chosen.connect(lambda _card: self._look())
        self._inspector.changed.connect(self._show)
        self._inspector.profile_changed.connect(self._show_profile)
        stand.targets_changed.connect(self._show_targets)
        lanes.live_changed.connect(lambda _live: self._show_live())
        stand.profile_waits.connect(lambda _waits: self._show_live())
        profile.profile_wished.connect(stand.take_profile)
        profile.cancel_wished.connect(self._inspector.cancel_profile)
        self.report.function_wished.connect(self._on_function)
        self.report.copy_text_wished.connect(self.copy_text)
        self.report.copy_json_wished.connect(self._copy_json)

    # --- facts ------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._show()
            self._show_targets()

    def copy_text(self) -> None:
        """What was found, and the profile when there is one, as text for the clipboard."""
        found = self._inspector.inspection.answer
        if found is not None:
            QGuiApplication.clipboard().setText(as_text(found, self._inspector.profile.answer))
            self._stand.notice.emit(_("What was found is in the clipboard."))

    def _copy_json(self) -> None:
        found = self._inspector.inspection.answer
        if found is not None:
            QGuiApplication.clipboard().setText(as_json(found))
            self._stand.notice.emit(_("What was found is in the clipboard."))

    def _look(self) -> None:
        """At the chosen model, when somebody sees it; a model that was renamed is the same."""
        card, seen = self._stand.model, self._inspector.question
        if self.isVisible() and card is not None and (seen is None or seen.path != card.path):
            self._inspector.look_at(card.path)
        self._show()

    def _on_function(self, function: str) -> None:
        if self._stand.model is not None:
            self._inspector.look_at(self._stand.model.path, function)

    def _on_button(self) -> None:
        if self._inspector.inspection.is_busy:
            self._inspector.cancel_look()
        else:
            self._inspector.look_again()

    def _show(self) -> None:
        card, look = self._stand.model, self._inspector.inspection
        is_found = card is not None and look.answer is not None
        self._pages.setCurrentIndex(1 if is_found else 0)
        if card is not None and look.answer is not None:
            self.report.show_found(card, look.answer)
            self._show_targets()
            self._show_profile()
            self._show_live()
        else:
            self._show_state()

    def _show_state(self) -> None:
        card, look = self._stand.model, self._inspector.inspection
        button = _("Cancel") if look.is_busy else _("Look again")
        if card is None:
            said = _("There is no model. Add one: a .mlpackage or .mlmodel.")
        elif look.began_s is not None:
            seconds = f"{time.monotonic() - look.began_s:.0f}"
            said = _("Looking into “{model}”, {seconds} s").format(model=card.name, seconds=seconds)
        elif look.error is not None:
            said = str(look.error)
        else:
            said = _("Looking into the model was cancelled.")
        self._says.setText(said)
        self._says.use_tone("text" if look.error is not None else "secondary_text")
        self._button.setText(button)
        self._button.setVisible(card is not None)

    def _show_targets(self) -> None:
        self.report.profile.show_choices(self._stand.choices())

    def _show_profile(self) -> None:
        self.report.profile.show_profile(self._inspector.profile, self._inspector.profile_wish)

    def _show_live(self) -> None:
        self.report.profile.show_live(self._stand.lanes.is_live, self._stand.is_profile_waiting)

    def _refresh(self) -> None:
        if self.isVisible() and self._inspector.inspection.is_busy:
            self._show_state()
        elif self.isVisible():
            self.report.profile.refresh()

    def _order_focus(self) -> None:
        """The Tab key goes down the sidebar, then through the report."""
        chain = [*self._side.controls(), self._button, *self.report.controls()]
        for before, after in itertools.pairwise(chain):
            QWidget.setTabOrder(before, after)
