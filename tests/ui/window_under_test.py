"""The real program as `python -m app` starts it, which also tells a test what it shows.

    window_under_test.py STATE_FILE

Ten times a second it writes to STATE_FILE as JSON: the texts of the photo, cards and banners as they stand on the
screen, and the middle of a few controls in screen pixels, for a real pointer to click.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QTabBar, QWidget

from app.ui import application
from app.ui.main_window import MainWindow
from app.ui.top_bars import TopBars
from app.ui.words import Words

CONTROLS = ("photo-well", "run-live", "run-once", "crop-fit", "sample-strip")


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(Words) if label.isVisible() and label.text()]


def spoken_bars(card: QWidget) -> str:
    """What the bars say to a screen reader."""
    return "".join(bars.accessibleDescription() for bars in card.findChildren(TopBars) if bars.isVisible())


def middle(widget: QWidget) -> list[int]:
    point = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
    return [point.x(), point.y()]


def tabs(window: MainWindow) -> dict[str, list[int]]:
    """The middle of the tab of each page: "page 1", "page 2"."""
    bar = window.findChild(QTabBar)
    points = [bar.mapToGlobal(bar.tabRect(place).center()) for place in range(bar.count())]
    return {f"page {number}": [point.x(), point.y()] for number, point in enumerate(points, start=1)}


def state(window: MainWindow) -> dict[str, Any]:
    lanes = window.stand.lanes
    clients = [getattr(worker, "_client", None) for worker in lanes._workers.values()]
    return {
        "photo": window.page.well.accessibleDescription(),
        "hover": window.page.well.offer.sentence if window.page.well.offer else "",
        "cards": {card.state.lane.target: texts(card) for card in window.page.cards.cards()},
        "bars": {card.state.lane.target: spoken_bars(card) for card in window.page.cards.cards()},
        "phases": {card.state.lane.target: card.state.phase.value for card in window.page.cards.cards()},
        "live_n": {s.lane.target: s.live.n if s.live else 0 for s in lanes.states()},
        "stale": any(s.stale or not s.answered for s in lanes.states()),
        "banners": window.banners.texts(),
        "models": [card.name for card in window.stand.models.cards() if not card.built_in],
        "model": window.stand.model.name if window.stand.model else "",
        "verdict": window.inspect_page.report.verdict() if window.inspect_page.report.isVisible() else "",
        "status": window.findChild(QWidget, "status-line").accessibleName(),
        "pids": [client.pid for client in clients if client is not None],
        "controls": {name: middle(window.findChild(QWidget, name)) for name in CONTROLS} | tabs(window),
    }


def main() -> int:
    file = Path(sys.argv.pop())
    timer = QTimer()

    def write() -> None:
        # Replaced in one step: the test must never read half of it.
        part = file.with_suffix(".part")
        part.write_text(json.dumps(state(windows[0])))
        os.replace(part, file)

    windows: list[MainWindow] = []
    build_window = application.build_window

    def build(*arguments: Any) -> MainWindow:
        windows.append(build_window(*arguments))
        windows[0].move(160, 20)
        windows[0].painted.connect(lambda: timer.start(100))
        return windows[0]

    application.build_window = build
    timer.timeout.connect(write)
    return application.run_window()


if __name__ == "__main__":
    sys.exit(main())
