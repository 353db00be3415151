"""The window: lays out its parts and connects them; the stand decides."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from app.imaging.view import Crop
from app.ui import about, file_dialogs
from app.ui.actions import Menus
from app.ui.classify_page import ClassifyPage
from app.ui.drop_target import DropTarget
from app.ui.errand import Errand
from app.ui.inspect_page import InspectPage
from app.ui.intake import Intake
from app.ui.notices import Notices
from app.ui.page_bar import PagedArea
from app.ui.pages import PAGES
from app.ui.preferences import Preferences
from app.ui.result_desk import ResultDesk
from app.ui.settings_dialog import SettingsDialog
from app.ui.stand import Stand
from app.ui.status_line import StatusLine, read_this_machine
from app.ui.theme_change import tell_parts

if TYPE_CHECKING:
    from app.library.card import ModelCard


class MainWindow(QMainWindow):
    """`painted` once, when the window is on the screen for the first time."""

    painted = Signal()

    def __init__(self, stand: Stand, preferences: Preferences) -> None:
        super().__init__()
        self.setWindowTitle("Silicon Dyno")
        self.setMinimumSize(1024, 700 - 40)
        self.resize(1280, 800)
        self.stand, self._preferences = stand, preferences
        self._settings = preferences.settings
        self._is_painted = False
        self._settings_dialog: SettingsDialog | None = None
        pages = [(page, page.build(stand)) for page in PAGES]
        self.page: ClassifyPage = next(widget for _page, widget in pages if isinstance(widget, ClassifyPage))
        self.inspect_page: InspectPage = next(widget for _page, widget in pages if isinstance(widget, InspectPage))
        self._notices = Notices(stand)
        self.banners = self._notices.banners
        self._status, self.pages = StatusLine(), PagedArea(pages, self._notices)
        self._lay_out(self.pages)
        self._machine = Errand("machine", self)
        self._machine.done.connect(lambda _ticket, machine: self._status.show_machine(machine))
        self._machine.failed.connect(lambda _ticket, error: self.banners.say(str(error)))
        self.desk, self.intake = ResultDesk(stand, self), Intake(stand, self)
        self.intake.photo_came.connect(lambda: self.pages.show_page("classify"))
        self.menus = Menus(self, self._doings())
        self._connect()
        self._restore()
        self.page.run_bar.controls()[0].setFocus()

    # --- making -----------------------------------------------------------------------------------------------------

    def _lay_out(self, pages: PagedArea) -> None:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(pages, 1)
        column.addWidget(self._status)
        self.setCentralWidget(whole)

    def _doings(self) -> dict[str, Callable[[], object]]:
        lanes, charts, desk, preferences = self.stand.lanes, self.page.charts, self.desk, self._preferences
        doings: dict[str, Callable[[], object]] = {
            "open-photo": lambda: file_dialogs.ask_for_photo(self, self._folder(), self.open_path),
            "add-model": lambda: file_dialogs.ask_for_models(self, self._folder(), self.stand.models.add),
            "export": lambda: desk.ask_where_to_export(self._folder()),
            "settings": self._show_settings,
            "quit": self.close,
            "undo": self.banners.undo,
            "copy": self._copy,
            "copy-charts": charts.copy_picture,
            "paste": self.intake.paste,
            "pause-charts": lambda: charts.set_paused(self.menus.actions["pause-charts"].isChecked()),
            "reset-zoom": charts.reset_zoom,
            "log-scale": lambda: preferences.set("log_scale", self.menus.actions["log-scale"].isChecked()),
            "full-screen": lambda: self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen),
            "run-once": lanes.run_once,
            "run-live": self._switch_live,
            "restart-failed": self.stand.restart_failed,
            "shortcuts": lambda: about.shortcuts_dialog(self).open(),
            "about": lambda: about.about_dialog(self).open(),
        }
        for theme in ("system", "light", "dark"):
            doings[f"theme-{theme}"] = partial(preferences.set, "theme", theme)
        for crop in Crop:
            doings[f"crop-{crop.value}"] = partial(self.stand.use_crop, crop)
        return doings

    def _connect(self) -> None:
        self.page.open_wished.connect(self.menus.actions["open-photo"].trigger)
        for page in (self.page, self.inspect_page):
            page.add_model_wished.connect(self.menus.actions["add-model"].trigger)
            page.inspect_wished.connect(self.inspect)
        self.banners.changed.connect(lambda: self.menus.enable("undo", self.banners.can_undo))
        self.menus.enable("undo", False)
        self.stand.crop_changed.connect(lambda crop: self.menus.check(f"crop-{crop.value}", True))
        self.stand.lanes.live_changed.connect(lambda live: self.menus.check("run-live", live))
        self.stand.lanes.lane_loaded.connect(lambda _key, _event: self._show_devices())
        self.stand.lanes.lanes_changed.connect(self._show_devices)
        self._preferences.changed.connect(self._carry_out)
        self.page.charts.paused_changed.connect(partial(self.menus.check, "pause-charts"))
        self.page.charts.log_changed.connect(partial(self._preferences.set, "log_scale"))
        self.desk.notice.connect(self.stand.notice)
        self.desk.complaint.connect(self.stand.complaint)
        drops = DropTarget(self)
        drops.hovering.connect(self.page.well.show_offer)
        drops.hovering.connect(self.inspect_page.veil.show_offer)
        drops.dropped.connect(self.intake.take)
        # Shown in the menu, but see keyPressEvent.
        self.menus.actions["run-live"].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)

    # --- starting and ending ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Everything that is not needed for the first picture of the window: engines first, then charts."""
        for key in ("theme", "log_scale", "baseline", "top"):
            self._carry_out(key)
        self.menus.check(f"crop-{self.stand.crop.value}", True)
        self.stand.start()
        self._machine.ask(read_this_machine)
        QTimer.singleShot(0, self, self._start_rest)

    def _start_rest(self) -> None:
        self.page.charts.open()
        self.page.samples.load()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self._settings.set("split_page", tuple(str(size) for size in self.page.page_split.sizes()))
        self._settings.set("split_top", tuple(str(size) for size in self.page.top_split.users_sizes or ()))
        self.hide()
        self.page.samples.shutdown()
        self._machine.close()
        self.stand.shutdown()
        super().closeEvent(event)

    def _restore(self) -> None:
        self.restoreGeometry(QByteArray.fromBase64(QByteArray(self._settings.get("geometry").encode())))
        for key, use in (
            ("split_page", lambda *sizes: self.page.page_split.setSizes(sizes)),
            ("split_top", self.page.top_split.use_sizes),
        ):
            sizes = self._settings.get(key)
            if len(sizes) == 2 and all(size.isdigit() for size in sizes):
                use(*(int(size) for size in sizes))

    # --- what is dropped, pasted, opened ----------------------------------------------------------------------------

    def open_path(self, path: Path) -> None:
        """A photo, folder or model from a dialog, the Dock or the command line."""
        self.intake.open_path(path)

    def inspect(self, card: ModelCard) -> None:
        """Choose the model and show what it holds."""
        self.stand.models.choose(card)
        self.pages.show_page("inspect")

    def _copy(self) -> None:
        """What the page in front has to give."""
        if self.inspect_page.isVisible():
            self.inspect_page.copy_text()
        else:
            self.desk.copy()

    def _switch_live(self) -> None:
        lanes = self.stand.lanes
        self.stand.set_live(not lanes.is_live)
        self.menus.check("run-live", lanes.is_live)  # the wish may not have come true

    # --- states that only the window shows --------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Space belongs to the control that has the focus; what none of them wants arrives here.
        if event.key() == Qt.Key.Key_Space and not event.modifiers() and self.page.isVisible():
            self.menus.actions["run-live"].trigger()
        elif event.key() == Qt.Key.Key_Escape:
            self.banners.dismiss_all()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.menus.retranslate()
        elif event.type() == QEvent.Type.WindowStateChange:
            self.menus.check("full-screen", self.isFullScreen())
        elif event.type() == QEvent.Type.PaletteChange:  # ours or the system's: the window has no palette of its own
            tell_parts(self)

    def _carry_out(self, key: str) -> None:
        """A setting has a new value."""
        value = self._settings.get(key)
        if key == "theme":
            self.menus.check(f"theme-{value}", True)
        elif key == "log_scale":
            self.menus.check("log-scale", value)
            self.page.charts.set_log(value)
        elif key == "baseline":
            self.stand.lanes.use_baseline(value)
        elif key == "top":
            self.stand.lanes.use_shown_answers(value)

    def _show_devices(self) -> None:
        states = self.stand.lanes.states()
        certain = [state.device for state in states if state.device and state.device_is_certain]
        self._status.show_devices(tuple(dict.fromkeys(certain)))

    def _show_settings(self) -> None:
        if self._settings_dialog is None:
            self._settings_dialog = SettingsDialog(self._preferences, self)
        self._settings_dialog.show()
        self._settings_dialog.raise_()
        self._settings_dialog.activateWindow()

    def _folder(self) -> str:
        return self._settings.get("last_folder")
