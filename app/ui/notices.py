"""What the window has to say above whatever page is in front: models on their way, errors, notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n import _
from app.ui.arrival_line import ArrivalLine
from app.ui.arrivals import Arrival
from app.ui.banner import Banners, Offered
from app.ui.stand import Stand

if TYPE_CHECKING:
    from app.library.card import ModelCard


class Notices(QWidget):
    """Takes no room while there is nothing to say."""

    def __init__(self, stand: Stand, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = stand.models
        self.banners, self.arrival = Banners(), ArrivalLine()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 0)
        column.setSpacing(8)
        column.addWidget(self.arrival)
        column.addWidget(self.banners)
        self.arrival.cancel_wished.connect(stand.models.arrivals.cancel)
        self.banners.changed.connect(self._show_or_hide)
        stand.complaint.connect(lambda error: self.banners.say(str(error)))
        stand.notice.connect(lambda sentence: self.banners.say(sentence, "notice"))
        stand.models.removed.connect(self._on_removed)
        stand.models.was_there.connect(self._on_was_there)
        stand.models.arrivals.progressed.connect(self._on_progress)
        self._show_or_hide()

    def _on_progress(self, arrival: Arrival | None) -> None:
        self.arrival.show_arrival(arrival)
        self._show_or_hide()

    def _on_removed(self, card: ModelCard) -> None:
        if card.linked:
            said = _("“{model}” is off the list; its file was left alone.")
        else:
            said = _("“{model}” is out of your library. The file that it was imported from was left alone.")
        undo = Offered(_("Undo"), lambda: self._models.bring_back(card), undoes=True)
        self.banners.say(said.format(model=card.name), "notice", undo)

    def _on_was_there(self, card: ModelCard) -> None:
        self.banners.say(_("“{model}” is in the library already.").format(model=card.name), "notice")

    def _show_or_hide(self) -> None:
        self.setVisible(bool(self.banners.texts()) or self._models.arrivals.current is not None)
