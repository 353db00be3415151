"""The card of a lane in each of its states."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.bench.agreement import Agreement
from app.bench.statistics import summarise
from app.engine.messages import Lane, MemoryReading
from app.engine.targets import target
from app.errors import EngineDied, EngineRefused
from app.ui.lane_card import LaneCard
from app.ui.lane_state import Compared, LaneState, Phase, Speed
from app.ui.top_bars import TopBars
from app.ui.words import Words
from tests.ui.fake_engine import classified

pytestmark = pytest.mark.gui

LANE = Lane(model="/m/cats.mlpackage", target="mlx-gpu", precision="fp16")
LOADING = LaneState(LANE, target("mlx-gpu"), Phase.LOADING, stage="compiling", seconds=3.4)
ANSWERED = LaneState(
    LANE,
    target("mlx-gpu"),
    Phase.READY,
    top=classified(1).top,
    answered=True,
    single_ms=12.345,
    memory=MemoryReading(footprint_bytes=118_400_000, mlx_active_bytes=20_000_000),
    device="NVIDIA H100",
    load_ms=412.3,
)
LIVE = replace(
    ANSWERED,
    phase=Phase.RUNNING,
    live=summarise([10.0] * 99 + [20.0]),
    images_per_s=95.4,
    speed=Speed("MLX · CPU", False, 2.04),
)
WRONG = Agreement(
    same_top1=False, top5_overlap=0.8, cosine=0.7, largest_difference=0.6, agrees=False, reasons=("top-1",)
)
RIGHT = Agreement(same_top1=True, top5_overlap=1.0, cosine=1.0, largest_difference=0.001, agrees=True, reasons=())


@pytest.fixture
def show(qtbot):
    """Shows a state on a card; returns the card and all texts that can be seen on it."""

    def show_one(state: LaneState) -> tuple[LaneCard, str]:
        card = LaneCard(state)
        qtbot.addWidget(card)
        card.resize(300, 360)
        card.show()
        labels = [label.text() for label in card.findChildren(Words) if label.isVisible()]
        return card, "\n".join(labels)

    return show_one


def button_of(card: LaneCard) -> QPushButton:
    return card.findChild(QPushButton)


def test_loading_says_what_and_how_long_and_can_be_cancelled(show, qtbot):
    card, texts = show(LOADING)
    assert "Compiling the model, 3 s" in texts
    with qtbot.waitSignal(card.cancel_wished) as wish:
        qtbot.mouseClick(button_of(card), Qt.MouseButton.LeftButton)
    assert wish.args == [LANE.key]


def test_a_single_answer_is_called_one_inference(show):
    card, texts = show(ANSWERED)
    assert "12.3\nms" in texts
    assert "one inference" in texts
    assert "fp16" in texts
    assert "loaded in 412 ms" in texts
    assert "118\u00a0MB" in texts
    assert "NVIDIA H100" in texts
    assert "tabby" in card.accessibleName() or "12.3" in card.accessibleName()


def test_a_run_shows_median_p95_rate_and_speed(show):
    _card, texts = show(LIVE)
    assert "10.0\nms" in texts
    assert "median" in texts
    assert "p95 10.0 ms · 95.4 /s" in texts
    assert "2.04× MLX · CPU" in texts


def test_the_baseline_says_that_it_is_that(show):
    _card, texts = show(replace(LIVE, speed=Speed("MLX · GPU", True, 1.0)))
    assert "1× (baseline)" in texts


def test_agreement_is_a_word_and_a_sign_not_only_a_colour(show):
    card, texts = show(replace(ANSWERED, compared=Compared("MLX · CPU", False, RIGHT)))
    assert "agrees ✓" in texts
    assert card.edge is None


def test_a_lane_that_answers_something_else_is_shown_as_wrong(show):
    card, texts = show(replace(ANSWERED, compared=Compared("MLX · CPU", False, WRONG)))
    assert "✗ says tabby" in texts
    assert card.edge is not None


def test_a_lane_that_answers_something_else_is_not_called_fast(show):
    _card, texts = show(replace(LIVE, compared=Compared("MLX · CPU", False, WRONG)))
    assert "10.0\nms" in texts
    assert "2.04×" not in texts


def test_the_answers_of_an_earlier_photo_are_called_that_and_not_compared(show):
    _card, texts = show(replace(ANSWERED, stale=True, compared=Compared("MLX · CPU", False, WRONG)))
    assert "earlier photo" in texts
    assert "says" not in texts


def test_a_dead_engine_says_so_and_can_be_restarted(show, qtbot):
    error = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
    card, texts = show(replace(ANSWERED, phase=Phase.FAILED, error=error))
    assert "ended unexpectedly (signal SIGKILL)" in texts
    assert button_of(card).text() == "Restart"
    with qtbot.waitSignal(card.restart_wished):
        qtbot.mouseClick(button_of(card), Qt.MouseButton.LeftButton)


def test_a_dead_engine_leaves_its_last_figures_which_are_called_that(show):
    error = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
    card, texts = show(replace(LIVE, phase=Phase.FAILED, error=error))
    assert "ended unexpectedly" in texts
    assert "10.0 ms" in texts
    assert "before it ended\n" in texts
    assert "p95 10.0 ms · 95.4 /s" in texts
    assert any(
        bars.isVisible() and "tabby" in bars.accessibleDescription() and "81" in bars.accessibleDescription()
        for bars in card.findChildren(TopBars)
    )
    assert "before it ended, 10.0 ms median" in card.accessibleName()


def test_an_engine_that_never_answered_shows_no_figures(show):
    error = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
    _card, texts = show(replace(LOADING, phase=Phase.FAILED, error=error))
    assert "before" not in texts


def test_a_refused_photo_can_be_retried(show):
    card, texts = show(replace(ANSWERED, error=EngineRefused(target="MLX · GPU", model="cats", cause="no")))
    assert "could not run “cats”" in texts
    assert button_of(card).text() == "Retry"


def test_cancelled_loading_can_be_begun_again(show):
    card, texts = show(replace(LOADING, phase=Phase.CANCELLED))
    assert "cancelled" in texts
    assert button_of(card).text() == "Load again"


def test_memory_that_cannot_be_read_is_not_zero(show):
    _card, texts = show(replace(ANSWERED, memory=None))
    assert "memory not available" in texts


def test_a_request_is_called_one(show):
    lane = Lane(model="/m/cats.mlpackage", target="coreml-ne", precision="stored")
    state = replace(ANSWERED, lane=lane, target=target("coreml-ne"), device="CPU_AND_NE", device_is_certain=False)
    _card, texts = show(state)
    assert "requested Neural Engine" in texts


def test_a_model_without_classes_shows_its_time_and_no_bars(show):
    _card, texts = show(replace(ANSWERED, top=()))
    assert "12.3\nms" in texts


def test_the_card_says_everything_to_a_screen_reader(show):
    card, _texts = show(LIVE)
    for part in ("MLX · GPU", "10.0 ms median", "p95", "2.04×", "118"):
        assert part in card.accessibleName()


def test_a_stop_that_takes_long_is_told_of(show):
    stopping = replace(LIVE, phase=Phase.STOPPING, stopping_s=0.6)
    card, texts = show(stopping)
    assert "Stopping…" in texts
    assert "Stopping…" in card.accessibleName()
    _card, texts = show(replace(stopping, stopping_s=0.4))
    assert "Stopping…" not in texts
