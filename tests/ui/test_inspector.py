"""Questions about a model: asked once, dropped when another model comes, cancelled, told how far they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ModelUnreadable
from app.ui.inspector import ROUNDS, Inspector, ProfileWish
from tests.ui.fake_models import PROFILE, FakeInquiry

pytestmark = pytest.mark.gui

CATS, DOGS = Path("/m/cats.mlmodel"), Path("/m/dogs.mlmodel")
ON_CPU = ProfileWish("mlx-cpu", "fp32")


@pytest.fixture
def inspector(qtbot, inquiry: FakeInquiry):
    inspector = Inspector(inquiry)
    yield inspector
    inspector.close()


def found(inspector: Inspector) -> bool:
    return inspector.inspection.answer is not None


def test_the_same_model_is_looked_into_once(qtbot, inspector, inquiry):
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: found(inspector))
    inspector.look_at(CATS)
    assert found(inspector)
    assert inquiry.asked == [("inspect", CATS, None)]


def test_another_function_is_another_question(qtbot, inspector, inquiry):
    inspector.look_at(CATS)
    inspector.look_at(CATS, "depth")
    qtbot.waitUntil(lambda: found(inspector))
    assert inspector.inspection.answer.function == "depth"


def test_an_answer_about_an_earlier_model_is_dropped(qtbot, inspector, inquiry):
    inquiry.held = True
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: bool(inquiry.asked))
    inspector.look_at(DOGS)
    qtbot.waitUntil(lambda: len(inquiry.asked) == 2)
    assert inquiry.cancelled == ["inspect"]
    inquiry.go_on.set()
    qtbot.waitUntil(lambda: found(inspector))
    assert inspector.inspection.answer.facts.name == DOGS.name


def test_cancelled_is_no_error_and_can_be_asked_again(qtbot, inspector, inquiry):
    inquiry.held = True
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: bool(inquiry.asked))
    inspector.cancel_look()
    qtbot.waitUntil(lambda: inspector.inspection.cancelled)
    assert inspector.inspection.error is None
    inquiry.go_on.set()
    inspector.look_again()
    qtbot.waitUntil(lambda: found(inspector))


def test_an_error_is_kept(qtbot, inspector, inquiry):
    inquiry.errors[CATS] = ModelUnreadable(model="cats", cause="garbage")
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: inspector.inspection.error is not None)
    assert "garbage" in str(inspector.inspection.error)


def test_a_profile_tells_its_rounds_and_goes_with_its_model(qtbot, inspector, inquiry):
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: found(inspector))
    inquiry.held = True
    inspector.take_profile(ON_CPU)
    qtbot.waitUntil(lambda: (inspector.profile.done, inspector.profile.of) == (ROUNDS // 2, ROUNDS))
    inquiry.go_on.set()
    qtbot.waitUntil(lambda: inspector.profile.answer == PROFILE)
    assert inspector.profile_wish == ON_CPU
    inspector.look_at(DOGS)
    assert inspector.profile.answer is None
    assert inspector.profile_wish is None


def test_a_profile_can_be_cancelled(qtbot, inspector, inquiry):
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: found(inspector))
    inquiry.held = True
    inspector.take_profile(ON_CPU)
    qtbot.waitUntil(lambda: inspector.profile.of > 0)
    inspector.cancel_profile()
    qtbot.waitUntil(lambda: inspector.profile.cancelled)
    assert found(inspector)


def test_closing_ends_what_is_asked(qtbot, inquiry):
    inspector = Inspector(inquiry)
    inquiry.held = True
    inspector.look_at(CATS)
    qtbot.waitUntil(lambda: bool(inquiry.asked))
    inspector.close()
    assert inquiry.cancelled == ["inspect"]
