"""The list of models, alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.library.card import ModelCard
from app.ui.model_picker import ModelPicker
from app.ui.model_row import details_of

pytestmark = pytest.mark.gui


def card(name: str, built_in: bool = True, missing: bool = False, **more: Any) -> ModelCard:
    return ModelCard(
        id=name,
        name=name,
        path=Path("/m") / name,
        weights="fp16",
        size_bytes=9_390_000,
        width=224,
        height=224,
        crop_fraction=0.875,
        interpolation="bicubic",
        built_in=built_in,
        missing=missing,
        **more,
    )


def test_details_tell_kind_input_and_size():
    assert details_of(card("Lite0", kind="mlProgram")) == "ML Program · 224 × 224 · 9.39\u00a0MB"
    assert details_of(card("linked")) == "224 × 224 · 9.39\u00a0MB"


def test_a_model_whose_file_is_gone_stays_in_the_list_and_cannot_be_chosen(qtbot):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card("here"), card("gone", built_in=False, missing=True)], None)
    gone = next(button for button in picker.buttons() if button.text() == "gone")
    assert not gone.isEnabled()
    assert "not there" in gone.accessibleName()


def test_only_own_models_can_be_taken_off(qtbot):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card("built in"), card("own", built_in=False)], None)
    (remove,) = picker.findChildren(QToolButton)
    with qtbot.waitSignal(picker.remove_wished) as wish:
        remove.click()
    assert wish.args[0].name == "own"


def test_a_name_with_an_ampersand_is_shown_as_it_is(qtbot):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card("a&b")], None)
    assert picker.buttons()[0].text() == "a&&b"


def test_a_long_name_is_cut_and_leaves_everything_else_in_sight(qtbot):
    name = "a very long name & more " * 8
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card(name, built_in=False)], None)
    picker.resize(216, 120)
    picker.show()
    assert picker.minimumSizeHint().width() <= 216
    (remove,) = picker.findChildren(QToolButton)
    assert picker.rect().contains(remove.mapTo(picker, remove.rect().bottomRight()))
    (button,) = picker.buttons()
    assert name in button.toolTip()
    assert name in button.accessibleName()
    assert "…" in button.shown_text()
    assert button.fontMetrics().horizontalAdvance(button.shown_text()) <= button.width()


def test_a_name_that_is_cut_can_be_clicked(qtbot):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card("n" * 180)], None)
    picker.resize(216, 120)
    picker.show()
    with qtbot.waitSignal(picker.model_wished):
        qtbot.mouseClick(picker.buttons()[0], Qt.MouseButton.LeftButton)


def test_the_rows_that_stay_the_same_keep_their_focus_and_their_editing(qtbot):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    cards = [card("one", built_in=False), card("two", built_in=False)]
    picker.show_models(cards, cards[0])
    picker.rows()[0].edit_name()
    before = picker.rows()
    picker.show_models(list(cards), cards[1])
    assert picker.rows() == before
    assert picker.buttons()[1].isChecked()


def test_a_list_that_changes_renames_nothing_that_was_half_typed(qtbot):
    picker, wishes = ModelPicker(), []
    qtbot.addWidget(picker)
    picker.rename_wished.connect(lambda *wish: wishes.append(wish))
    picker.show_models([card("one", built_in=False)], None)
    picker.show()
    picker.rows()[0].edit_name()
    picker.rows()[0]._name.setText("half typ")
    picker.show_models([card("one", built_in=False), card("two", built_in=False)], None)
    assert wishes == []


@pytest.mark.parametrize("own", [{"built_in": True}, {"built_in": False, "linked": True}])
def test_only_models_of_the_library_have_a_name_of_their_own(qtbot, own):
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show_models([card("one", **own)], None)
    picker.rows()[0].edit_name()
    assert picker.rows()[0]._name is None
