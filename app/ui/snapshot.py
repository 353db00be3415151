"""A picture of the real window, drawn without a screen.

    python -m app.ui.snapshot FILE.png --language zh_TW --dark --size 1280x800 --scale 2

    python -m app.ui.snapshot FILE.png --import Face.mlmodel --page inspect --profile

The window, its engines and its charts are the real ones: the first sample photo is classified by every engine that this
machine has, then all of them run live for some seconds; or the chosen model is looked into, and profiled. Only settings
and user data are fresh.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import StorageError

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

ANSWER_WITHIN_S = 240.0
"""The first load of a model on a slow machine, with an empty cache, may take minutes."""
LIVE_S = 8.0
LOOK_EVERY_MS = 100
SETTLE_S = 0.5


def draw_offscreen(
    path: Path,
    language: str = "system",
    dark: bool = False,
    size: tuple[int, int] = (1280, 800),
    scale: float = 1.0,
    live_s: float = LIVE_S,
    page: str = "classify",
    imports: Sequence[Path] = (),
    profile: bool = False,
) -> list[str]:
    """Save the picture as PNG; returns the sentences of lanes that failed.

    To be called in a process that has no QApplication yet. `size` is in logical pixels, the picture `scale` times as
    large. Models in `imports` are copied into the library first; the last one is chosen. Raises TimeoutError when there
    is no answer, StorageError when the file cannot be written.
    """
    os.environ.update(QT_QPA_PLATFORM="offscreen", QT_SCALE_FACTOR=str(scale))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DYNO_SETTINGS_FILE=f"{folder}/settings.ini", DYNO_DATA_DIR=folder)
        window = _open(language, dark, size)
        try:
            _bring_in(window, imports)
            errors = _look_into(window, profile) if page == "inspect" else _run(window, live_s)
            if not window.grab().save(str(path), "PNG"):
                raise StorageError(path=str(path), cause="PNG")
        finally:
            window.close()
    return errors


def _open(language: str, dark: bool, size: tuple[int, int]) -> MainWindow:
    """The window, on its way to the first answer."""
    from app.settings import Settings
    from app.ui.application import Application, begin, build_window
    from app.ui.settings_store import QtStore

    settings = Settings(QtStore())
    settings.set("language", language)
    settings.set("theme", "dark" if dark else "light")
    app = Application(sys.argv[:1])
    window = build_window(app)
    window.resize(*size)
    window.painted.connect(lambda: begin(app, window))
    window.show()
    window.application = app  # type: ignore[attr-defined]  # it lives as long as the window
    return window


def _bring_in(window: MainWindow, imports: Sequence[Path]) -> None:
    """Wait until the models are in the library, or refused."""
    models = window.stand.models
    _wait(lambda: bool(models.cards()), ANSWER_WITHIN_S)
    for path in imports:
        window.open_path(path.absolute())
    _wait(lambda: models.arrivals.current is None, ANSWER_WITHIN_S)


def _look_into(window: MainWindow, profile: bool) -> list[str]:
    """The sentences of what could not be looked into."""
    from app.ui.inspector import ProfileWish

    stand, inspector = window.stand, window.stand.inspector
    _wait(lambda: all(choice.available is not None for choice in stand.choices()), ANSWER_WITHIN_S)
    window.pages.show_page("inspect")
    _wait(lambda: inspector.question is not None and not inspector.inspection.is_busy, ANSWER_WITHIN_S)
    if profile and inspector.inspection.answer is not None:
        stand.take_profile(ProfileWish("mlx-cpu", "fp32"))
        _wait(lambda: not inspector.profile.is_busy and not stand.is_profile_waiting, ANSWER_WITHIN_S)
    _wait(None, SETTLE_S)
    return [str(look.error) for look in (inspector.inspection, inspector.profile) if look.error is not None]


def _run(window: MainWindow, live_s: float) -> list[str]:
    """Run live for `live_s` after all lanes have answered; the sentences of those that failed."""
    from app.ui.lane_state import Phase

    lanes, stand = window.stand.lanes, window.stand

    def settled() -> bool:
        states, lack = lanes.states(), stand.why_no_lanes()
        if lack is not None:
            return lack.is_of_the_model
        return bool(states) and all(state.answered or state.error is not None for state in states)

    _wait(settled, ANSWER_WITHIN_S)
    if not lanes.order:
        _wait(None, SETTLE_S)
        return []
    lanes.set_live(True)
    _wait(lambda: not lanes.count(Phase.READY, Phase.CLASSIFYING), ANSWER_WITHIN_S)
    _wait(None, live_s)
    return [str(state.error) for state in lanes.states() if state.error is not None]


def _wait(until: Callable[[], bool] | None, seconds: float) -> None:
    """Let the event loop run until that is so, or for `seconds`. Raises TimeoutError when it does not become so."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    looks, deadline = QTimer(), QTimer()

    def look() -> None:
        if until is not None and until():
            loop.exit(0)

    looks.timeout.connect(look)
    looks.start(LOOK_EVERY_MS)
    deadline.setSingleShot(True)
    deadline.timeout.connect(lambda: loop.exit(1))
    deadline.start(int(seconds * 1000))
    if loop.exec() and until is not None:
        raise TimeoutError(f"nothing happened for {seconds:.0f} s")


def main() -> int:
    """Command line of this module; exit status 1 when an engine failed."""
    parser = argparse.ArgumentParser(prog="python -m app.ui.snapshot")
    parser.add_argument("file", type=Path)
    parser.add_argument("--language", default="system", choices=("system", "en", "zh_TW"))
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--size", default="1280x800", help="WIDTHxHEIGHT in logical pixels")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--live", type=float, default=LIVE_S, help="seconds of live run before the picture")
    parser.add_argument("--page", default="classify", choices=("classify", "inspect"))
    parser.add_argument("--import", dest="imports", nargs="+", default=(), type=Path, help="models, the last is shown")
    parser.add_argument("--profile", action="store_true", help="with --page inspect: also where the time goes")
    given = parser.parse_args()
    width, height = (int(part) for part in given.size.split("x"))
    errors = draw_offscreen(
        given.file,
        given.language,
        given.dark,
        (width, height),
        given.scale,
        given.live,
        given.page,
        given.imports,
        given.profile,
    )
    for sentence in errors:
        print(sentence, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
