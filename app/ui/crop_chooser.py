"""How the photo becomes the model's square: three buttons, one of them down."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QApplication, QButtonGroup, QHBoxLayout, QToolButton, QWidget

from app.i18n import N_, _
from app.imaging.view import Crop
from app.ui.theme_change import ThemeChanged

ROWS = (
    (Crop.CENTRE, N_("Crop"), N_("The middle of the photo, as the model was trained to see it")),
    (Crop.FIT, N_("Fit"), N_("The whole photo, with bars at its sides")),
    (Crop.STRETCH, N_("Stretch"), N_("The whole photo, stretched to the model's shape")),
)
RING = 2.0
"""Width of the ring of the focus, pixels."""


class Segment(QToolButton):
    """Rings itself while it has the focus: the style's own frame is in the accent colour, unseen on the one down."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.ButtonText), RING))
            painter.drawRect(QRectF(self.rect()).adjusted(2, 2, -2, -2))
            painter.end()


class CropChooser(QWidget):
    crop_wished = Signal(object)

    def __init__(self, crop: Crop, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._buttons: dict[Crop, Segment] = {}
        for one, _label, _tip in ROWS:
            button = Segment()
            button.setCheckable(True)
            button.setChecked(one is crop)
            button.setObjectName(f"crop-{one.value}")
            button.clicked.connect(lambda _checked, one=one: self.crop_wished.emit(one))
            button.toggled.connect(self._colour)
            self._group.addButton(button)
            self._buttons[one] = button
            row.addWidget(button)
        self._colour()
        self._retranslate()

    def controls(self) -> list[QWidget]:
        """Everything that takes the focus, in the order of the eye."""
        return list(self._buttons.values())

    def show_crop(self, crop: Crop) -> None:
        self._buttons[crop].setChecked(True)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def customEvent(self, event: QEvent) -> None:
        if isinstance(event, ThemeChanged):
            self._colour()

    def _colour(self) -> None:
        """The button that is down has the accent colour, where the style lets us: a shade alone is hard to see."""
        plain, chosen = QApplication.palette(), QApplication.palette()
        chosen.setColor(QPalette.ColorRole.Button, plain.color(QPalette.ColorRole.Accent))
        chosen.setColor(QPalette.ColorRole.ButtonText, plain.color(QPalette.ColorRole.HighlightedText))
        for button in self._buttons.values():
            button.setPalette(chosen if button.isChecked() else plain)

    def _retranslate(self) -> None:
        self.setAccessibleName(_("What the model sees of the photo"))
        for crop, label, tip in ROWS:
            self._buttons[crop].setText(_(label))
            self._buttons[crop].setToolTip(_(tip))
            self._buttons[crop].setAccessibleName(_(label))
            self._buttons[crop].setAccessibleDescription(_(tip))
