"""What a target's row says of a model that it cannot run, and what is said while no engine is at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.targets import TARGETS
from app.errors import ModelHasNoImageInput, UnsupportedOps, to_wire
from app.library.card import ModelCard, Obstacle
from app.ui.choices import Choice, lack_of_lanes

MLX_CPU = next(one for one in TARGETS if one.id == "mlx-cpu")
COREML_NE = next(one for one in TARGETS if one.id == "coreml-ne")
LACKS_NMS = UnsupportedOps(model="cats", ops=("nms", "crop"))


def model(*obstacles: Obstacle) -> ModelCard:
    return ModelCard("cats", "cats", Path("cats.mlmodel"), "", 1, 1, 1, 1.0, "bilinear", False, obstacles=obstacles)


def choice(target=MLX_CPU, available: bool | None = True, obstacle=None, on: bool = True) -> Choice:
    return Choice(target, available, "" if available else "not here", "a device", on, "fp32", obstacle)


def test_a_target_that_cannot_run_the_model_says_so_shortly_and_at_length():
    row = choice(obstacle=LACKS_NMS)
    assert not row.is_usable
    assert row.short_reason == "MLX lacks nms, crop"
    assert row.whole_reason.startswith("“cats” uses nms, crop, which MLX cannot run yet.")


def test_a_target_that_is_not_here_says_that_first():
    row = choice(available=False, obstacle=LACKS_NMS)
    assert row.short_reason == "not here"
    assert row.whole_reason == "not here\na device"


def test_a_usable_target_has_its_device_in_the_tool_tip():
    assert choice().is_usable
    assert (choice().short_reason, choice().whole_reason) == ("", "a device")


@pytest.mark.parametrize(
    ("choices", "says", "of_the_model", "passing"),
    [
        ([choice(on=False)], "Tick one under Engines", False, False),
        ([choice(available=None)], "Looking for the engines", False, True),
        ([choice(available=False)], "no engine that can run a model", False, False),
        ([choice(obstacle=LACKS_NMS), choice(COREML_NE, False)], "which MLX cannot run yet", True, False),
        ([choice(obstacle=LACKS_NMS), choice(COREML_NE, None)], "Looking for the engines", False, True),
    ],
)
def test_why_no_engine_is_at_work(choices, says, of_the_model, passing):
    lack = lack_of_lanes(model(), choices)
    assert says in lack.sentences[0]
    assert (lack.is_of_the_model, lack.is_passing) == (of_the_model, passing)


def test_the_same_reason_of_several_targets_is_said_once():
    no_image = ModelHasNoImageInput(model="cats", inputs=("x",))
    assert len(lack_of_lanes(model(), [choice(obstacle=no_image), choice(COREML_NE, obstacle=no_image)]).sentences) == 1


def test_without_a_model_it_says_how_to_get_one():
    assert "Add one" in lack_of_lanes(None, [choice()]).sentences[0]


def test_a_cards_obstacles_reach_the_targets_of_their_runtime():
    card = model(Obstacle("mlx", *to_wire(LACKS_NMS)))
    assert isinstance(card.obstacle(MLX_CPU), UnsupportedOps)
    assert card.obstacle(COREML_NE) is None
