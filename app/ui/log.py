"""The window's log: a file in the folder of user data, and warnings in the terminal."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from app.errors import AppError, InternalError
from app.paths import data_folder

LARGEST = 1_000_000
"""Bytes; a longer log is begun anew at the start of the program."""

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class LogFile(logging.FileHandler):
    """Gives up quietly, with one line in the terminal, when the file cannot be written any more (a full disk)."""

    def handleError(self, record: logging.LogRecord) -> None:
        logging.getLogger().removeHandler(self)
        print(f"no log file any more: {sys.exc_info()[1]}", file=sys.stderr)
        with suppress(OSError):  # closing tries to write the rest once more
            self.close()


def log_file() -> Path:
    return data_folder("dyno.log")


def start_log() -> None:
    """Log to the file where it can be written, and to the terminal."""
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [terminal]
    file = log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if file.exists() and file.stat().st_size > LARGEST else "a"
        handlers.append(LogFile(file, mode=mode, encoding="utf-8"))
    except OSError as error:
        print(f"no log file: {error}", file=sys.stderr)
    logging.basicConfig(
        level=logging.INFO,
        handlers=handlers,
        format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    qInstallMessageHandler(_log_qt)


def report_defects(tell: Callable[[AppError], None]) -> None:
    """Log whatever nobody caught, in any thread, and tell the window about it."""

    def on_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logging.getLogger("app").critical("not caught", exc_info=(kind, error, trace))
        tell(error if isinstance(error, AppError) else InternalError(cause=repr(error)))

    sys.excepthook = on_defect
    threading.excepthook = lambda args: on_defect(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", text)
