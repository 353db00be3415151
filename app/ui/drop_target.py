"""Makes a whole window accept drops: says what hovers over it and hands over what is dropped."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from app.ui.drop_reader import read_offer


class DropTarget(QObject):
    """`hovering(Offer or None)` while something is dragged over the window, `dropped(QMimeData)` when it is let go."""

    hovering = Signal(object)
    dropped = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            assert isinstance(event, QDropEvent)  # the base of the other two
            self._answer(event)
            return True
        if event.type() == QEvent.Type.DragLeave:
            self.hovering.emit(None)
            return True
        return False

    def _answer(self, event: QDropEvent) -> None:
        # Accepted even when it is of no use: a window that refuses is told no more, and could not say why.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if event.type() == QEvent.Type.Drop:
            self.hovering.emit(None)
            self.dropped.emit(event.mimeData())
        elif event.type() == QEvent.Type.DragEnter:
            self.hovering.emit(read_offer(event.mimeData()))
