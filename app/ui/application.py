"""Starts the window: application object, log, language, appearance, then the window itself."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from app import __version__
from app.paths import APP_NAME, resource
from app.settings import Settings
from app.ui.drop_reader import offer_of
from app.ui.lane_worker import OpenClient, open_engine
from app.ui.lanes import Lanes
from app.ui.log import report_defects, start_log
from app.ui.main_window import MainWindow
from app.ui.preferences import Preferences
from app.ui.sample_strip import samples
from app.ui.settings_store import QtStore
from app.ui.signals import TerminalSignals
from app.ui.stand import Stand

log = logging.getLogger(__name__)


class Application(QApplication):
    """Collects the files that the system asks us to open (double click, Dock) until a window takes them."""

    file_opened = Signal(str)

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.waiting: list[str] = []
        self.setApplicationName(APP_NAME)
        self.setApplicationVersion(__version__)
        self.setOrganizationName(APP_NAME)
        self.setOrganizationDomain("silicon-dyno.org")

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            self.waiting.append(event.file() or event.url().toLocalFile())
            self.file_opened.emit(self.waiting[-1])
            return True
        return super().event(event)


def build_window(app: QApplication, open_client: OpenClient = open_engine) -> MainWindow:
    """The whole window with everything behind it, not yet shown."""
    store = QtStore()
    settings = Settings(store)
    preferences = Preferences(app, settings)
    preferences.apply_all()
    window = MainWindow(Stand(Lanes(open_client), settings), preferences)
    store.tell = window.banners.say
    return window


def run_window() -> int:
    """Exit status of the program; returns when the window was closed."""
    app = Application(sys.argv)
    start_log()
    window = build_window(app)
    report_defects(lambda error: window.stand.complaint.emit(error))
    signals = TerminalSignals(window.close)
    window.painted.connect(lambda: begin(app, window))
    window.show()
    status = app.exec()
    signals.close()
    return status


def begin(app: Application, window: MainWindow) -> None:
    """The window is on the screen: start the engines and show the first photo."""
    if sys.platform != "darwin":  # there the bundle has its icon in all sizes
        app.setWindowIcon(QIcon(str(resource("icons", "dyno.svg"))))
    log.info("window painted %.0f ms after the process started", _process_age_ms())
    window.start()
    app.file_opened.connect(lambda path: window.open_path(Path(path)))
    wanted = [Path(path) for path in app.waiting if path]
    if not any(offer_of(path).kind in ("photo", "folder") for path in wanted):
        wanted += [sample.path for sample in samples()[:1]]
    for path in wanted:
        window.open_path(path)


def _process_age_ms() -> float:
    import psutil

    return (time.time() - psutil.Process(os.getpid()).create_time()) * 1e3
