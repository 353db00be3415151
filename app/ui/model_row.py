"""One model of the list: its name, what is known of it, what stands in its way, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.i18n import _
from app.library.model_words import KINDS, obstacle_lines
from app.ui.cut_radio import CutRadioButton
from app.ui.lane_words import DOT
from app.ui.numbers import MB, show_mb, with_unit
from app.ui.words import CutWords, Words

if TYPE_CHECKING:
    from app.library.card import ModelCard

LONGEST_NAME = 200


def details_of(card: ModelCard) -> str:
    """ "ML Program · 224 × 224 · 9.39 MB"; of a linked model what is known of a file that was never read."""
    if card.missing:
        return _("its file is not there")
    parts = [
        _(KINDS[card.kind]) if card.kind in KINDS else "",
        f"{card.width} × {card.height}" if card.width else "",
        with_unit(show_mb(card.size_bytes), MB),
    ]
    return DOT.join(part for part in parts if part)


class ModelRow(QWidget):
    """Emits wishes; the list decides."""

    wished = Signal()
    rename_wished = Signal(str)
    remove_wished = Signal()
    inspect_wished = Signal()
    place_wished = Signal()

    def __init__(self, card: ModelCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self.button = CutRadioButton(card.name)
        self.button.setEnabled(not card.missing)
        self.button.clicked.connect(self.wished)
        self._name: QLineEdit | None = None
        self._line = QHBoxLayout()
        self._line.setSpacing(4)
        self._line.addWidget(self.button, 1)
        if card.obstacles:
            self._line.addWidget(self._make_mark())
        if not card.built_in:
            self._line.addWidget(self._make_remove())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._line)
        column.addWidget(self._make_details())
        rename = QShortcut(QKeySequence("F2"), self)
        rename.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        rename.activated.connect(self.edit_name)

    @property
    def can_be_renamed(self) -> bool:
        return not self.card.built_in and not self.card.linked

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return [self.button, *self.findChildren(QToolButton)]

    def menu(self) -> QMenu:
        """What can be done with the model."""
        menu = QMenu(self)
        menu.addAction(_("Inspect"), self.inspect_wished.emit).setEnabled(not self.card.missing)
        if self.can_be_renamed:
            menu.addAction(_("Rename…"), QKeySequence("F2"), self.edit_name)
        menu.addAction(_("Show in folder"), self.place_wished.emit)
        if not self.card.built_in:
            menu.addSeparator()
            menu.addAction(_("Take off the list") if self.card.linked else _("Remove"), self.remove_wished.emit)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def edit_name(self) -> None:
        """Put a text field where the name stands; Enter or leaving it renames, Esc leaves it as it is."""
        if not self.can_be_renamed or self._name is not None:
            return
        self._name = name = QLineEdit(self.card.name)
        name.setObjectName("model-name")
        name.setMaxLength(LONGEST_NAME)
        name.setAccessibleName(_("New name of {model}").format(model=self.card.name))
        name.installEventFilter(self)
        name.editingFinished.connect(self._finish_name)
        self.button.hide()
        self._line.insertWidget(0, name, 1)
        name.selectAll()
        name.setFocus()

    def stop_editing(self) -> None:
        """The name stays as it was."""
        name, self._name = self._name, None
        if name is not None:
            self._line.removeWidget(name)
            self.button.show()
            self.button.setFocus()
            name.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self._name
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            self.stop_editing()
            return True
        return super().eventFilter(watched, event)

    def _finish_name(self) -> None:
        if self._name is None:
            return
        wanted = self._name.text()
        self.stop_editing()
        if wanted != self.card.name:
            self.rename_wished.emit(wanted)

    def _make_details(self) -> CutWords:
        details = CutWords("secondary_text", 0.9)
        details.setText(details_of(self.card))
        details.setIndent(24)
        obstacles = obstacle_lines(self.card)
        self.button.setAccessibleName(f"{self.card.name}, {details.text()}")
        self.button.setAccessibleDescription(" ".join(obstacles))
        self.button.setToolTip("\n".join((self.card.name, str(self.card.path), *obstacles)))
        return details

    def _make_mark(self) -> Words:
        mark = Words("warning")
        mark.setText("⚠")
        mark.setObjectName("obstacle-mark")
        mark.setToolTip("\n".join(obstacle_lines(self.card)))
        mark.setAccessibleName(" ".join(obstacle_lines(self.card)))
        return mark

    def _make_remove(self) -> QToolButton:
        remove = QToolButton()
        remove.setText("✕")
        remove.setAutoRaise(True)
        remove.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if self.card.linked:
            remove.setToolTip(_("Take off the list; the file stays"))
            remove.setAccessibleName(_("Take {model} off the list").format(model=self.card.name))
        else:
            remove.setToolTip(_("Remove from the library; it can be undone"))
            remove.setAccessibleName(_("Remove {model} from the library").format(model=self.card.name))
        remove.clicked.connect(self.remove_wished)
        return remove
