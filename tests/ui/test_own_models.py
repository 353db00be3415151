"""A model of one's own in the window: dropped, chosen, renamed, removed, brought back, remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton

from app.errors import ModelHasNoImageInput, UnsupportedOps, to_wire
from app.library import shelf
from app.library.card import Obstacle
from app.ui.lane_state import Phase
from app.ui.main_window import MainWindow
from app.ui.model_picker import ModelPicker
from app.ui.model_row import ModelRow
from tests.ui.fake_engine import failed

pytestmark = pytest.mark.gui

NO_IMAGE = to_wire(ModelHasNoImageInput(model="own", inputs=("x",)))
LACKS_NMS = to_wire(UnsupportedOps(model="own", ops=("nms",)))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "Own.mlmodel"
    path.write_bytes(b"own")
    return path


def bring_in(qtbot, window: MainWindow, *paths: Path) -> None:
    """Drop these on the window and wait until the last one is in."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window.intake.take(mime)
    qtbot.waitUntil(lambda: window.stand.models.arrivals.current is None)


def row_of(window: MainWindow, name: str) -> ModelRow:
    picker = window.page.findChild(ModelPicker)
    return next(row for row in picker.rows() if row.card.name == name)


def names(window: MainWindow) -> list[str]:
    return [card.name for card in window.stand.models.cards() if not card.built_in]


# --- coming in ----------------------------------------------------------------------------------------------------


def test_a_dropped_model_is_copied_chosen_and_run(qtbot, answered, own):
    bring_in(qtbot, answered, own)
    assert answered.stand.model.name == "Own"
    assert answered.stand.model.path != own
    own.unlink()
    assert {state.lane.model for state in answered.stand.lanes.states()} == {str(answered.stand.model.path)}
    row = row_of(answered, "Own")
    assert row.button.isChecked()
    assert "NeuralNetwork · 227 × 227 · 2.50\u00a0MB" in row.button.accessibleName()


def test_several_dropped_models_come_in_and_the_last_is_chosen(qtbot, answered, tmp_path):
    paths = [tmp_path / f"{name}.mlmodel" for name in "abc"]
    for path in paths:
        path.write_bytes(path.name.encode())
    bring_in(qtbot, answered, *paths)
    assert names(answered) == ["a", "b", "c"]
    assert answered.stand.model.name == "c"


def test_a_model_that_is_there_already_is_chosen_and_said_so(qtbot, answered, own):
    bring_in(qtbot, answered, own)
    answered.stand.models.choose(answered.stand.models.cards()[0])
    bring_in(qtbot, answered, own)
    assert names(answered) == ["Own"]
    assert answered.stand.model.name == "Own"
    assert answered.banners.texts() == ["“Own” is in the library already."]


def test_a_broken_model_is_explained_and_changes_nothing(qtbot, answered, tmp_path):
    before = answered.stand.model
    broken = tmp_path / "Broken.mlmodel"
    broken.write_bytes(b"broken")
    bring_in(qtbot, answered, broken)
    assert answered.stand.model is before
    assert names(answered) == []
    assert "Broken.mlmodel" in answered.banners.texts()[0]


def test_progress_is_shown_and_can_be_cancelled(qtbot, answered, take_in, own):
    take_in.held = True
    answered.open_path(own)
    line = answered._notices.arrival
    qtbot.waitUntil(lambda: "Copying “Own.mlmodel”" in line.text())
    assert line.isVisible()
    line.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: not line.isVisible())
    assert names(answered) == []
    assert answered.banners.texts() == []


# --- order in the library -----------------------------------------------------------------------------------------


def test_f2_renames_in_place_and_the_engines_go_on(qtbot, answered, engines, own):
    bring_in(qtbot, answered, own)
    opened = len(engines.clients)
    answered.activateWindow()
    row_of(answered, "Own").button.setFocus()
    qtbot.keyClick(row_of(answered, "Own").button, Qt.Key.Key_F2)
    field = row_of(answered, "Own").findChild(QLineEdit)
    field.setText("Faces")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert names(answered) == ["Faces"]
    assert answered.stand.model.name == "Faces"
    assert row_of(answered, "Faces").button.isChecked()
    assert len(engines.clients) == opened


def test_escape_leaves_the_name_as_it_was(qtbot, answered, own):
    bring_in(qtbot, answered, own)
    row = row_of(answered, "Own")
    row.edit_name()
    field = row.findChild(QLineEdit)
    field.setText("Other")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert names(answered) == ["Own"]
    assert row.button.isVisibleTo(row)


def test_a_name_that_is_taken_is_explained(qtbot, answered, tmp_path):
    paths = [tmp_path / f"{name}.mlmodel" for name in "ab"]
    for path in paths:
        path.write_bytes(path.name.encode())
    bring_in(qtbot, answered, *paths)
    answered.stand.models.rename(answered.stand.model, "a")
    assert names(answered) == ["a", "b"]
    assert "empty, taken" in answered.banners.texts()[0]


def test_a_removed_model_comes_back_with_undo(qtbot, answered, own):
    bring_in(qtbot, answered, own)
    undo = answered.menus.actions["undo"]
    assert undo.shortcut() == QKeySequence(QKeySequence.StandardKey.Undo)
    assert not undo.isEnabled()
    row_of(answered, "Own").remove_wished.emit()
    assert names(answered) == []
    assert answered.stand.model.built_in
    assert undo.isEnabled()
    undo.trigger()
    assert names(answered) == ["Own"]
    assert answered.stand.model.name == "Own"
    assert not undo.isEnabled()
    assert answered.banners.texts() == []


def test_undo_takes_back_the_last_removal_first(qtbot, answered, tmp_path):
    paths = [tmp_path / f"{name}.mlmodel" for name in "ab"]
    for path in paths:
        path.write_bytes(path.name.encode())
    bring_in(qtbot, answered, *paths)
    for name in "ab":
        row_of(answered, name).remove_wished.emit()
    answered.menus.actions["undo"].trigger()
    assert names(answered) == ["b"]
    answered.menus.actions["undo"].trigger()
    assert names(answered) == ["a", "b"]


def test_the_choice_is_remembered_across_a_rename_by_the_shell(qtbot, answered, open_window, own):
    bring_in(qtbot, answered, own)
    answered.close()
    shelf.rename(shelf.cards()[0], "Faces")
    assert open_window().stand.model.name == "Faces"


def test_the_menu_of_a_row_offers_what_can_be_done(qtbot, answered, own):
    bring_in(qtbot, answered, own)
    ours = [action.text() for action in row_of(answered, "Own").menu().actions() if action.text()]
    theirs = [action.text() for action in answered.page.findChild(ModelPicker).rows()[0].menu().actions()]
    assert ours == ["Inspect", "Rename…", "Show in folder", "Remove"]
    assert theirs == ["Inspect", "Show in folder"]


# --- what cannot run ----------------------------------------------------------------------------------------------


def test_a_target_that_cannot_run_the_model_starts_no_lane_and_says_why(qtbot, open_window, take_in, own, photo_file):
    window = open_window("mlx-cpu", "coreml-cpu")
    window.open_path(photo_file)
    take_in.obstacles = (Obstacle("mlx", *LACKS_NMS),)
    bring_in(qtbot, window, own)
    assert [state.lane.target for state in window.stand.lanes.states()] == ["coreml-cpu"]
    box = window.findChild(QCheckBox, "target-mlx-cpu")
    assert not box.isEnabled()
    assert "uses nms, which MLX cannot run yet" in box.toolTip()
    assert "MLX cannot run it" in row_of(window, "Own").button.accessibleDescription()
    window.stand.models.choose(window.stand.models.cards()[0])
    assert box.isEnabled()
    assert len(window.stand.lanes.order) == 2


def test_a_model_that_nothing_can_run_shows_the_reason_and_inspect(qtbot, answered, take_in, own):
    take_in.obstacles = tuple(Obstacle(runtime, *NO_IMAGE) for runtime in ("mlx", "coreml"))
    bring_in(qtbot, answered, own)
    assert answered.stand.lanes.order == []
    assert "No engine runs it" in row_of(answered, "Own").button.accessibleDescription()
    button = answered.findChild(QPushButton, "inspect-model")
    assert button.isVisible()
    button.click()
    assert answered.inspect_page.isVisible()


def test_the_crop_of_the_model_before_does_not_stay_for_one_without_a_picture(qtbot, answered, take_in, own):
    from dataclasses import replace

    take_in.obstacles = tuple(Obstacle(runtime, *NO_IMAGE) for runtime in ("mlx", "coreml"))
    bring_in(qtbot, answered, own)
    models, seen = answered.stand.models, []
    models.choose(models.cards()[0])
    qtbot.waitUntil(lambda: answered.stand.lanes.loaded() is not None)
    answered.stand.model_chosen.connect(lambda _card: seen.append(answered.stand.model_view()))
    models.choose(replace(models.cards()[-1], width=None, height=None))
    assert seen == [(None, 1.0)]


def test_a_lane_whose_model_is_broken_has_no_restart(qtbot, answered, engines):
    engines.of("mlx-cpu").tell(failed(UnsupportedOps(model="own", ops=("nms",))))
    card = answered.page.cards.cards()[1]
    qtbot.waitUntil(lambda: card.state.phase is Phase.FAILED)
    assert [button.text() for button in card.findChildren(QPushButton) if button.isVisible()] == []


def test_live_without_an_engine_says_what_to_do(qtbot, open_window):
    window = open_window("mlx-cpu")
    qtbot.waitUntil(lambda: len(window.stand.lanes.order) == 1)
    window.findChild(QCheckBox, "target-mlx-cpu").click()
    live = window.findChild(QPushButton, "run-live")
    live.click()
    assert not window.stand.lanes.is_live
    assert not live.isChecked()
    assert not window.menus.actions["run-live"].isChecked()
    assert window.banners.texts() == ["No engine is switched on. Tick one under Engines."]
