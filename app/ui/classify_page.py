"""The page that classifies: sidebar, photo, cards and charts, laid out and connected to the stand."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.engine.messages import Loaded
from app.engine.targets import target
from app.i18n import N_
from app.ui.balanced_split import BalancedSplit
from app.ui.charts_slot import ChartsSlot
from app.ui.crop_chooser import CropChooser
from app.ui.lane_grid import LaneGrid
from app.ui.lane_state import Phase
from app.ui.model_side import ModelSide
from app.ui.photo_line import PhotoLine
from app.ui.photo_well import PhotoWell
from app.ui.picture import ShownPhoto
from app.ui.run_bar import RunBar
from app.ui.sample_strip import SampleStrip, samples
from app.ui.stand import Stand
from app.ui.target_chooser import TargetChooser

TITLE = N_("Classify")
TEXT_EVERY_MS = 500
SIDEBAR = 264


class ClassifyPage(QWidget):
    """Lays out and connects; the panels show states and emit wishes, the stand decides."""

    open_wished = Signal()
    add_model_wished = Signal()
    inspect_wished = Signal(object)

    def __init__(self, stand: Stand, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stand = stand
        self.well = PhotoWell()
        self.samples = SampleStrip(samples())
        self.cards = LaneGrid()
        self.charts = ChartsSlot(stand.lanes)
        self._models = ModelSide(stand)
        self._targets = TargetChooser(stand.choices())
        self.run_bar = RunBar()
        self._crop = CropChooser(stand.crop)
        self._line = PhotoLine()
        self._lay_out()
        self._connect_panels()
        self._connect_stand()
        self._text_timer = QTimer(self)
        self._text_timer.setInterval(TEXT_EVERY_MS)
        self._text_timer.timeout.connect(self._refresh_texts)
        self._text_timer.start()
        self._show_all()

    # --- layout -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._make_sidebar())
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(8, 16, 16, 8)
        column.setSpacing(12)
        self.page_split = QSplitter(Qt.Orientation.Vertical)
        self.page_split.setObjectName("page-split")
        self.page_split.addWidget(self._make_top())
        self.page_split.addWidget(self.charts)
        self.page_split.setChildrenCollapsible(False)
        self.page_split.setStretchFactor(0, 3)
        self.page_split.setStretchFactor(1, 2)
        self.page_split.setSizes([580, 420])
        self.page_split.setHandleWidth(12)
        column.addWidget(self.page_split, 1)
        row.addWidget(right, 1)

    def _make_sidebar(self) -> QWidget:
        side = QWidget()
        side.setFixedWidth(SIDEBAR)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 16, 8, 16)
        column.setSpacing(16)
        inside = QWidget()
        choices = QVBoxLayout(inside)
        choices.setContentsMargins(0, 0, 8, 0)
        choices.setSpacing(24)
        choices.addWidget(self._models)
        choices.addWidget(self._targets)
        choices.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        column.addWidget(scroll, 1)
        column.addWidget(self.run_bar)
        return side

    def _make_top(self) -> QSplitter:
        photo = QWidget()
        column = QVBoxLayout(photo)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.well, 1)
        under = QHBoxLayout()
        under.setSpacing(8)
        under.addWidget(self._line, 1)
        under.addWidget(self._crop)
        column.addLayout(under)
        column.addWidget(self.samples)
        self.top_split = BalancedSplit(photo, self.cards)
        self.top_split.setObjectName("top-split")
        self.top_split.setHandleWidth(12)
        return self.top_split

    # --- connections ------------------------------------------------------------------------------------------------

    def _connect_panels(self) -> None:
        stand, lanes = self.stand, self.stand.lanes
        self._models.add_wished.connect(self.add_model_wished)
        self._models.inspect_wished.connect(self.inspect_wished)
        self._models.rows_changed.connect(self._order_focus)
        self.cards.inspect_wished.connect(lambda: self.inspect_wished.emit(stand.model))
        self._targets.switch_wished.connect(stand.switch_target)
        self._targets.precision_wished.connect(stand.use_precision)
        self._crop.crop_wished.connect(stand.use_crop)
        self.run_bar.live_wished.connect(stand.set_live)
        self.run_bar.once_wished.connect(lanes.run_once)
        self.well.open_wished.connect(self.open_wished)
        self.samples.photo_wished.connect(stand.open_photo)
        self.cards.cancel_wished.connect(lanes.cancel)
        self.cards.restart_wished.connect(lanes.restart)

    def _connect_stand(self) -> None:
        stand, lanes = self.stand, self.stand.lanes
        stand.model_chosen.connect(self._on_model_chosen)
        stand.targets_changed.connect(self._show_targets)
        stand.photo_loading.connect(self.well.show_loading)
        stand.photo_shown.connect(self._on_photo)
        stand.crop_changed.connect(self._show_crop)
        lanes.lane_loaded.connect(self._on_lane_loaded)
        lanes.lanes_changed.connect(self._show_lanes)
        lanes.lane_changed.connect(self._on_lane_changed)
        lanes.live_changed.connect(self.run_bar.show_live)
        lanes.live_changed.connect(self.charts.set_running)

    # --- facts ------------------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._show_targets()  # the stand says the reasons in the language of the moment

    def _show_all(self) -> None:
        self._order_focus()
        self._show_lanes()
        self._show_crop()
        if self.stand.shown is not None:
            self._on_photo(self.stand.shown)

    def _order_focus(self) -> None:
        """The Tab key goes down the sidebar, then to the photo, the cards and the charts."""
        side = [*self._models.controls(), *self._targets.controls(), *self.run_bar.controls()]
        chain = [*side, self.well, *self._crop.controls(), self.samples, self.cards, self.charts]
        for before, after in itertools.pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _show_targets(self) -> None:
        self._targets.show_choices(self.stand.choices())
        self._show_lanes()  # why there are none may be another reason now

    def _on_model_chosen(self) -> None:
        self._show_crop()

    def _on_photo(self, shown: ShownPhoto) -> None:
        self.well.show_photo(shown)
        is_sample = self.samples.mark(shown.photo.path)
        self._line.show_photo(shown.photo, is_sample)

    def _on_lane_loaded(self, key: str, event: Loaded) -> None:
        self._show_crop()  # the engine has read in the file what the catalogue may not know
        if event.cache_note:
            name = target(self.stand.lanes.lane(key).target).shown_name
            self.stand.notice.emit(f"{name}: {event.cache_note}")

    def _show_crop(self) -> None:
        self._crop.show_crop(self.stand.crop)
        self.well.show_crop(self.stand.crop, *self.stand.model_view())

    def _show_lanes(self) -> None:
        lanes = self.stand.lanes
        self.cards.show_lanes(lanes.states(), self.stand.why_no_lanes())
        self.top_split.show_count(len(lanes.order))
        self.charts.show_lanes()
        self.run_bar.show_together(lanes.count(Phase.RUNNING))

    def _on_lane_changed(self, key: str) -> None:
        lanes = self.stand.lanes
        if key in lanes.order:
            self.cards.show_state(lanes.state(key))
        self.run_bar.show_together(lanes.count(Phase.RUNNING))

    def _refresh_texts(self) -> None:
        lanes = self.stand.lanes
        lanes.refresh_numbers()
        if lanes.is_live or lanes.count(Phase.LOADING):
            for key in lanes.order:
                self.cards.show_state(lanes.state(key))
