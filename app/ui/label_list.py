"""All labels of a classifier, with a field to search them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSortFilterProxyModel, QStringListModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from app.i18n import _, language, ngettext
from app.ui.card import lay_on_card
from app.ui.theme_change import ThemeChanged
from app.ui.words import Words

HEIGHT = 168


class LabelList(QWidget):
    """Shows each label with its number, as the model has it, and beside it the name in the reader's language."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._labels: tuple[str, ...] = ()
        self.search = QLineEdit()
        self.search.setObjectName("label-search")
        self.search.setClearButtonEnabled(True)
        self._count = Words("secondary_text", 0.9)
        self._rows, self._found = QStringListModel(self), QSortFilterProxyModel(self)
        self._found.setSourceModel(self._rows)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search.textChanged.connect(self._on_search)
        self.view = QListView()
        self.view.setModel(self._found)
        self.view.setUniformItemSizes(True)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setFixedHeight(HEIGHT)
        lay_on_card(self.view)
        column.addWidget(self.search)
        column.addWidget(self._count)
        column.addWidget(self.view)
        self._retranslate()

    def show_labels(self, labels: tuple[str | int, ...]) -> None:
        """In the order of the probabilities."""
        texts = tuple(map(str, labels))
        if texts != self._labels:
            self._labels = texts
            self.search.clear()
            self._fill()

    def shown(self) -> list[str]:
        """The rows that the search leaves."""
        return [self._found.index(row, 0).data() for row in range(self._found.rowCount())]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self._fill()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            lay_on_card(self.view)

    def _fill(self) -> None:
        from app.library.labels import shown_label

        rows = []
        for number, label in enumerate(self._labels):
            name = shown_label(label, language())
            # English shows the first of several names, which the label begins with.
            rows.append(f"{number}  {label}" if label.startswith(name) else f"{number}  {name}  {label}")
        self._rows.setStringList(rows)
        self._tell_count()

    def _on_search(self, text: str) -> None:
        self._found.setFilterFixedString(text.strip())
        self._tell_count()

    def _tell_count(self) -> None:
        found, of = self._found.rowCount(), len(self._labels)
        if found == of:
            said = ngettext("{count:,} label", "{count:,} labels", of).format(count=of)
        else:
            said = _("{found:,} of {count:,} labels").format(found=found, count=of)
        self._count.setText(said)

    def _retranslate(self) -> None:
        self.search.setPlaceholderText(_("Search the labels"))
        self.search.setAccessibleName(_("Search the labels"))
        self.view.setAccessibleName(_("Labels"))
        self._tell_count()
