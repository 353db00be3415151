"""The window as a whole, with fake engines: what it does with drops, keys, files, settings; how it closes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import structs
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QComboBox, QPushButton, QToolButton, QWidget

from app.errors import EngineDied, InternalError
from app.imaging.view import Crop
from app.ui.lane_state import Phase
from tests.ui.fake_engine import failed, loaded

pytestmark = pytest.mark.gui


# --- the first start ----------------------------------------------------------------------------------------------


def test_a_photo_is_answered_by_every_available_target(answered):
    assert [state.lane.target for state in answered.stand.lanes.states()] == ["mlx-gpu", "mlx-cpu"]
    assert [card.state.top[0].label for card in answered.page.cards.cards()] == ["tabby, tabby cat"] * 2


def test_unavailable_targets_are_there_disabled_with_their_reason(answered):
    box = answered.findChild(QCheckBox, "target-coreml-ne")
    assert box.isVisible()
    assert not box.isEnabled()
    assert "no coreml-ne here" in box.accessibleDescription()


def test_with_no_target_the_window_says_what_to_do(qtbot, open_window, photo_file):
    window = open_window("mlx-cpu")
    qtbot.waitUntil(lambda: len(window.stand.lanes.order) == 1)
    window.findChild(QCheckBox, "target-mlx-cpu").click()
    assert window.stand.lanes.order == []
    assert window.page.cards.accessibleName() == "Results of each engine"
    assert any("No engine is switched on" in text for text in visible_texts(window))


def visible_texts(window: QWidget) -> list[str]:
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in window.findChildren(QLabel) if label.isVisible()]


# --- running ------------------------------------------------------------------------------------------------------


def test_space_starts_and_stops(qtbot, answered):
    answered.page.well.setFocus()
    qtbot.keyClick(answered.page.well, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: answered.stand.lanes.count(Phase.RUNNING) == 2)
    assert answered.findChild(QPushButton, "run-live").text() == "Stop"
    qtbot.keyClick(answered.page.well, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: answered.stand.lanes.count(Phase.READY) == 2)


def test_space_on_a_check_box_switches_that_and_starts_nothing(qtbot, answered):
    box = answered.findChild(QCheckBox, "target-mlx-gpu")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert not answered.stand.lanes.is_live
    assert [answered.stand.lanes.lane(key).target for key in answered.stand.lanes.order] == ["mlx-cpu"]


def test_a_live_run_fills_cards_and_charts_and_says_that_lanes_share_the_machine(qtbot, answered):
    qtbot.mouseClick(answered.findChild(QPushButton, "run-live"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(card.state.live is not None for card in answered.page.cards.cards()))
    assert any("Lanes run together" in text for text in visible_texts(answered))
    assert answered.page.cards.cards()[0].state.images_per_s == pytest.approx(75, rel=0.05)


def test_a_dead_engine_shows_restart_and_the_other_goes_on(qtbot, answered, engines):
    answered.stand.lanes.set_live(True)
    qtbot.waitUntil(lambda: answered.stand.lanes.count(Phase.RUNNING) == 2)
    engines.of("mlx-gpu").tell(failed(EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")))
    gpu, cpu = answered.page.cards.cards()
    qtbot.waitUntil(lambda: gpu.state.phase is Phase.FAILED)
    assert cpu.state.phase is Phase.RUNNING
    answered.menus.actions["restart-failed"].trigger()
    qtbot.waitUntil(lambda: answered.stand.lanes.count(Phase.RUNNING) == 2)


def test_another_crop_is_shown_and_classified(qtbot, answered, engines):
    answered.findChild(QToolButton, "crop-fit").click()
    qtbot.waitUntil(lambda: engines.of("mlx-cpu").crop is Crop.FIT)
    assert answered.menus.actions["crop-fit"].isChecked()
    qtbot.waitUntil(lambda: not any(state.stale for state in answered.stand.lanes.states()))


def test_another_precision_is_another_lane(qtbot, answered):
    chooser = answered.findChild(QComboBox, "precision-mlx-cpu")
    chooser.setCurrentIndex(chooser.findData("bf16"))
    chooser.activated.emit(chooser.currentIndex())
    qtbot.waitUntil(lambda: answered.stand.lanes.states()[1].lane.precision == "bf16")


def test_a_cache_that_could_not_be_written_is_told(qtbot, open_window, engines):
    window = open_window("mlx-cpu")
    qtbot.waitUntil(lambda: bool(engines.clients))
    engines.of("mlx-cpu").tell(structs.replace(loaded(), cache_note="It could not be kept (No space left on device)."))
    qtbot.waitUntil(lambda: bool(window.banners.texts()))
    assert window.banners.texts() == ["MLX · CPU: It could not be kept (No space left on device)."]


# --- models -------------------------------------------------------------------------------------------------------


def test_a_linked_model_can_be_taken_off_the_list_and_brought_back(answered, tmp_path):
    from app.library.catalog import remember_model

    model = tmp_path / "Own.mlmodel"
    model.write_bytes(b"x")
    card, models = remember_model(model), answered.stand.models
    models.reload()
    models.choose(card)
    assert [state.lane.model for state in answered.stand.lanes.states()] == [str(model)] * 2
    models.remove(card)
    assert models.model.path != model
    undo = next(button for button in answered.banners.findChildren(QPushButton) if button.text() == "Undo")
    undo.click()
    assert models.model.path == model


def test_a_model_that_is_not_there_is_explained(qtbot, answered, tmp_path):
    answered.open_path(tmp_path / "Gone.mlpackage")
    qtbot.waitUntil(lambda: bool(answered.banners.texts()))
    assert "Gone.mlpackage" in answered.banners.texts()[0]


# --- results ------------------------------------------------------------------------------------------------------


def test_results_are_copied_as_text(answered):
    answered.menus.actions["copy"].trigger()
    text = QGuiApplication.clipboard().text()
    assert "zebra.jpg" in text
    assert "MLX · CPU: 12.3 ms one inference" in text


def test_exported_results_have_the_fields_of_the_command_line(answered, tmp_path):
    from app.ui.results import result_rows

    rows = result_rows(answered.stand.lanes.states(), "zebra.jpg", "centre")
    answered.desk.export(tmp_path / "out.json", rows)
    read = json.loads((tmp_path / "out.json").read_text())
    assert [row["target"] for row in read] == ["mlx-gpu", "mlx-cpu"]
    assert {"photo", "model", "target", "precision", "top", "prepare_ms", "engine_ms", "total_ms"} <= set(read[0])
    assert read[0]["live"] is None
    answered.desk.export(tmp_path / "out.csv", rows)
    assert (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[0].startswith("photo,model,target")


def test_a_place_that_cannot_be_written_is_explained(answered, tmp_path):
    answered.desk.export(tmp_path / "no" / "such" / "folder.json", [])
    assert "cannot be written" in answered.banners.texts()[0]


# --- settings -----------------------------------------------------------------------------------------------------


def test_choices_are_remembered_by_the_next_window(qtbot, answered, open_window):
    answered.findChild(QToolButton, "crop-stretch").click()
    answered.findChild(QCheckBox, "target-mlx-gpu").click()
    second = next(card for card in answered.stand.models.cards() if card.id != answered.stand.model.id)
    answered.stand.models.choose(second)
    answered.resize(1024, 690)
    answered.close()
    again = open_window()
    assert again.stand.crop is Crop.STRETCH
    assert again.stand.model.id == second.id
    assert (again.width(), again.height()) == (1024, 690)
    qtbot.waitUntil(lambda: [again.stand.lanes.lane(key).target for key in again.stand.lanes.order] == ["mlx-cpu"])


def test_appearance_changes_at_once(qtbot, answered):
    answered.menus.actions["theme-dark"].trigger()
    qtbot.waitUntil(lambda: answered.palette().window().color().lightness() < 80)
    answered.menus.actions["theme-light"].trigger()
    qtbot.waitUntil(lambda: answered.palette().window().color().lightness() > 200)


def test_language_changes_at_once_everywhere(answered, monkeypatch):
    from app import i18n

    class Shouting(i18n.gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return re.sub(r"[^{}]+(?![^{]*})", lambda words: words[0].upper(), message)

    def shout(code: str, folder: Path) -> str:
        i18n._catalogue = Shouting()
        return "zh_TW"

    monkeypatch.setattr("app.ui.preferences.use_language", shout)
    answered._preferences.set("language", "zh_TW")
    texts = visible_texts(answered)
    for word in ("MODEL", "ENGINES", "REFERENCE ANSWER", "ONE INFERENCE", "NO COREML-NE HERE"):
        assert word in texts
    assert answered.findChild(QPushButton, "run-live").text() == "RUN LIVE"
    assert answered.findChild(QComboBox, "precision-mlx-gpu").toolTip() == "NUMBER FORMAT OF THE COMPUTATION"
    assert answered.menus.actions["open-photo"].text() == "OPEN PHOTO…"


def test_settings_dialog_shows_and_changes_settings(qtbot, answered):
    answered.menus.actions["settings"].trigger()
    dialog = answered._settings_dialog
    assert dialog.isVisible()
    theme = dialog.findChild(QComboBox, "setting-theme")
    theme.setCurrentIndex(theme.findData("dark"))
    theme.activated.emit(theme.currentIndex())
    assert answered.menus.actions["theme-dark"].isChecked()


# --- accessibility ------------------------------------------------------------------------------------------------


def test_every_control_has_a_name(answered):
    nameless = [
        widget.objectName() or type(widget).__name__
        for kind in (QAbstractButton, QComboBox)
        for widget in answered.findChildren(kind)
        if widget.isVisible() and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert nameless == []


def test_every_control_can_be_reached_with_the_tab_key(qtbot, answered):
    wanted = {"photo-well", "run-live", "run-once", "add-model", "target-mlx-cpu", "sample-strip"}
    reached = set()
    answered.activateWindow()
    answered.page.well.setFocus()
    for _ in range(80):
        widget = QApplication.focusWidget() or answered.focusWidget()
        reached.add(widget.objectName())
        answered.focusNextChild()
    assert wanted <= reached


def test_the_tab_key_goes_down_the_sidebar_and_then_to_the_photo(answered):
    names, widget = [], answered.page.findChild(QPushButton, "add-model")
    for _ in range(60):
        if widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            names.append(widget.objectName())
        widget = widget.nextInFocusChain()
    wanted = ["add-model", "target-mlx-gpu", "target-mlx-cpu", "run-live", "run-once", "photo-well", "sample-strip"]
    assert [name for name in names if name in wanted][: len(wanted)] == wanted


# --- ending -------------------------------------------------------------------------------------------------------


def test_closing_ends_every_engine_within_two_seconds(answered, engines):
    begun = time.monotonic()
    answered.close()
    assert time.monotonic() - begun < 2.5
    assert all(client.closed.is_set() for client in engines.clients)


def test_closing_while_loading_ends_every_engine(qtbot, engines, open_window):
    engines.automatic = False
    window = open_window()
    qtbot.waitUntil(lambda: len(engines.clients) == 2)
    window.close()
    assert all(client.closed.is_set() for client in engines.clients)


def test_a_defect_is_shown_and_the_window_stays(answered):
    answered.stand.complaint.emit(InternalError(cause="KeyError('x')"))
    assert "internal error" in answered.banners.texts()[0]
    assert answered.isVisible()


def test_the_window_needs_neither_engines_nor_numpy_to_be_imported():
    late = ("mlx", "coremltools", "numpy", "pyqtgraph")
    code = f"import sys, app.ui.application; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_language_change_reaches_every_panel(answered):
    QApplication.sendEvent(answered, QEvent(QEvent.Type.LanguageChange))
    assert answered.findChild(QPushButton, "run-live").text() == "Run live"
