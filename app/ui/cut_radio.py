"""A radio button whose text is cut with an ellipsis when there is no room: Qt's own is never narrower than its text."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QRadioButton, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from app.ui.words import one_line


class CutRadioButton(QRadioButton):
    """Cut in the middle: names of models often differ at their ends."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(one_line(text).replace("&", "&&"), parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def shown_text(self) -> str:
        """What there is room for."""
        whole = QStyleOptionButton()
        super().initStyleOption(whole)
        room = self.style().subElementRect(QStyle.SubElement.SE_RadioButtonContents, whole, self).width()
        text = self.text().replace("&&", "&")
        return self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        """For painting and for what of the button reacts to a click."""
        super().initStyleOption(option)
        option.text = self.shown_text().replace("&", "&&")
