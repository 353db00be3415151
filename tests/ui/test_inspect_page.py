"""The page that looks into the chosen model, in the whole window."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QPushButton, QTabBar

from app.errors import ModelUnreadable
from app.ui.inspect_words import as_text
from app.ui.label_list import LabelList
from app.ui.lane_state import Phase
from app.ui.main_window import MainWindow
from tests.ui.fake_models import PROFILE, inspection, unsupported

pytestmark = pytest.mark.gui


@pytest.fixture
def inspecting(qtbot, answered: MainWindow) -> MainWindow:
    """A window with the Inspect page in front, which has found something."""
    answered.pages.show_page("inspect")
    qtbot.waitUntil(lambda: answered.stand.inspector.inspection.answer is not None)
    return answered


def button(window: MainWindow, name: str) -> QPushButton:
    return window.inspect_page.findChild(QPushButton, name)


def test_nothing_is_looked_into_before_the_page_is_in_front(answered, inquiry):
    assert inquiry.asked == []


def test_two_pages_have_a_bar_and_keys(qtbot, answered):
    assert answered.findChild(QTabBar).isVisible()
    answered.activateWindow()
    qtbot.keyClick(answered, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert answered.inspect_page.isVisible()
    qtbot.keyClick(answered, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert answered.page.isVisible()


def test_it_says_what_the_command_line_says(inspecting):
    report = inspecting.inspect_page.report
    assert report.verdict() == "✓ MLX runs this model."
    rows = report.rows()
    assert ("kind", "ML Program, specification 7") in rows
    assert ("input", "image (RGB image, 224 × 224)") in rows
    assert ("multiply-adds", "387,747,520") in rows
    assert ("bits per weight", "13.7") in rows
    assert [row for row in rows if row[0] in ("author", "licence", "made with")] == [
        ("author", "A. Author"),
        ("licence", "MIT"),
        ("made with", "care"),
    ]
    assert "float16: 1,000,000 · 16 bits · 2.00\u00a0MB" in report.weights.accessibleDescription()
    assert report.operations.item(0, 0).text() == "conv"


def test_going_to_another_page_and_back_asks_nothing_again(inspecting, inquiry):
    inspecting.pages.show_page("classify")
    inspecting.pages.show_page("inspect")
    assert len(inquiry.asked) == 1


def test_another_model_is_looked_into(qtbot, inspecting, inquiry):
    second = inspecting.stand.models.cards()[1]
    inspecting.stand.models.choose(second)
    qtbot.waitUntil(lambda: len(inquiry.asked) == 2 and inspecting.stand.inspector.inspection.answer is not None)
    assert inquiry.asked[1] == ("inspect", second.path, None)


def test_what_mlx_lacks_stands_on_top_and_there_is_nothing_to_profile(qtbot, answered, inquiry):
    from app.compiler.inspection.report import OperationCount

    card = answered.stand.model
    inquiry.found[card.path] = inspection(
        obstacle=unsupported("nms"), operations=(OperationCount("conv", 26, True), OperationCount("nms", 1, False))
    )
    answered.inspect(card)
    report = answered.inspect_page.report
    qtbot.waitUntil(lambda: report.verdict() != "")
    assert "uses nms, which MLX cannot run yet" in report.verdict()
    assert report.operations.item(0, 0).text() == "nms"
    assert not button(answered, "profile-start").isVisible()
    assert "MLX cannot run this model" in report.profile.says()


def test_a_model_without_an_image_input_runs_on_mlx_and_has_no_photo_to_classify(qtbot, inspecting):
    from dataclasses import replace

    from app.errors import ModelHasNoImageInput, to_wire
    from app.library.card import Obstacle

    no_image = to_wire(ModelHasNoImageInput(model="cats", inputs=("x",)))
    card = replace(inspecting.stand.model, obstacles=tuple(Obstacle(one, *no_image) for one in ("mlx", "coreml")))
    report = inspecting.inspect_page.report
    report.show_found(card, inspection())
    assert report.verdict() == "✓ MLX runs this model."
    assert "cannot classify a photo" in report._also.text()


def test_an_error_is_a_sentence_and_can_be_tried_again(qtbot, answered, inquiry):
    card = answered.stand.model
    inquiry.errors[card.path] = ModelUnreadable(model=card.name, cause="garbage")
    answered.pages.show_page("inspect")
    again = button(answered, "inspect-button")
    qtbot.waitUntil(lambda: again.text() == "Look again")
    assert "garbage" in answered.inspect_page._says.text()
    inquiry.errors.clear()
    again.click()
    qtbot.waitUntil(lambda: answered.stand.inspector.inspection.answer is not None)


def test_looking_can_be_cancelled(qtbot, answered, inquiry):
    inquiry.held = True
    answered.pages.show_page("inspect")
    assert "Looking into" in answered.inspect_page._says.text()
    qtbot.waitUntil(lambda: bool(inquiry.asked))
    button(answered, "inspect-button").click()
    qtbot.waitUntil(lambda: "cancelled" in answered.inspect_page._says.text())


def test_a_function_can_be_chosen_where_there_are_several(qtbot, answered, inquiry):
    card, chooser = answered.stand.model, answered.inspect_page.findChild(QComboBox, "function")
    first = inspection()
    facts = type(first.facts)(**{**vars(first.facts), "functions": ("depth", "main")})
    inquiry.found[card.path] = inspection(facts=facts)
    answered.pages.show_page("inspect")
    qtbot.waitUntil(chooser.isVisible)
    assert chooser.currentText() == "main"
    chooser.setCurrentText("depth")
    chooser.activated.emit(chooser.currentIndex())
    qtbot.waitUntil(lambda: ("inspect", card.path, "depth") in inquiry.asked)
    qtbot.waitUntil(lambda: chooser.currentText() == "depth" and chooser.isVisible())


def test_one_function_is_no_choice(inspecting):
    assert not inspecting.inspect_page.findChild(QComboBox, "function").isVisible()


def test_labels_can_be_searched(qtbot):
    labels = LabelList()
    qtbot.addWidget(labels)
    labels.show_labels(("tabby, tabby cat", "tiger cat", 7))
    assert labels.shown() == ["0  tabby, tabby cat", "1  tiger cat", "2  7"]
    labels.search.setText("TIGER")
    assert labels.shown() == ["1  tiger cat"]
    assert labels._count.text() == "1 of 3 labels"


def test_a_profile_shows_bars_and_both_times(qtbot, inspecting, inquiry):
    button(inspecting, "profile-start").click()
    card = inspecting.inspect_page.report.profile
    qtbot.waitUntil(card.bars.isVisible)
    assert inquiry.wishes == [("mlx-gpu", "stored")]
    assert card.bars.accessibleDescription() == (
        "convolution 15.0\u00a0ms · 75.0\u00a0%; pooling 5.00\u00a0ms · 25.0\u00a0%"
    )
    assert card.bars.details(1) == "3 × max pool: 4.00\u00a0ms\n1 × mean: 1.00\u00a0ms"
    assert "Step by step 20.0 ms, as a whole 14.0 ms (medians of 20 runs)." in card._times.text()


def test_only_engines_of_mlx_can_be_profiled(inspecting):
    chooser = inspecting.inspect_page.findChild(QComboBox, "profile-target")
    assert [chooser.itemData(place) for place in range(chooser.count())] == ["mlx-gpu", "mlx-cpu"]


def test_a_profile_waits_until_the_live_run_has_stopped_and_none_begins_meanwhile(qtbot, inspecting, inquiry):
    stand, start = inspecting.stand, button(inspecting, "profile-start")
    stand.set_live(True)
    qtbot.waitUntil(lambda: stand.lanes.count(Phase.RUNNING) == 2)
    assert start.text() == "Stop the live run and profile"
    inquiry.held = True
    start.click()
    qtbot.waitUntil(lambda: stand.inspector.profile.of > 0)
    assert stand.lanes.count(Phase.RUNNING, Phase.STOPPING) == 0
    stand.set_live(True)
    assert not stand.lanes.is_live
    assert "A profile is being taken" in inspecting.banners.texts()[0]
    button(inspecting, "profile-cancel").click()
    qtbot.waitUntil(lambda: "cancelled" in inspecting.inspect_page.report.profile.says())


def test_what_was_found_is_copied_as_text_and_json(inspecting):
    inspecting.menus.actions["copy"].trigger()
    assert "kind: ML Program, specification 7" in QGuiApplication.clipboard().text()
    inspecting.inspect_page.report.copy_json_wished.emit()
    assert json.loads(QGuiApplication.clipboard().text())["parameters"] == 1_235_000


def test_the_text_holds_the_profile_when_there_is_one():
    text = as_text(inspection(), PROFILE)
    assert "convolution: 15.0\u00a0ms · 75.0\u00a0%" in text
    assert "    26  conv" in text


def test_a_photo_that_comes_in_brings_its_page_to_the_front(inspecting, photo_file):
    inspecting.open_path(photo_file)
    assert inspecting.page.isVisible()


def test_space_runs_nothing_live_from_here(qtbot, inspecting):
    qtbot.keyClick(inspecting, Qt.Key.Key_Space)
    assert not inspecting.stand.lanes.is_live
