"""What parts of a model are called, and what keeps it from running."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.compiler.facts import Feature
from app.errors import ModelHasNoImageInput, ModelUnreadable, UnsupportedModel, UnsupportedOps, to_wire
from app.i18n import use_language
from app.library.card import ModelCard, Obstacle
from app.library.model_words import feature_text, obstacle_lines, short_obstacle
from app.paths import resource


@pytest.fixture(autouse=True)
def _english():
    use_language("en", resource("locale"))


def test_an_image_is_told_by_its_colour_and_size():
    assert feature_text(Feature("photo", "image", (1, 30, 40, 3), "uint8", "BGR")) == "photo (BGR image, 40 × 30)"


def test_of_many_shapes_so_many_are_told_as_there_is_room_for():
    allowed = tuple(((1, 1), (size, size)) for size in (8, 16, 32))
    feature = Feature("x", "multiArray", (1, 8), "fp32", allowed=allowed)
    assert feature_text(feature) == "x (fp32, 1 × 8, flexible: 1 × 8 or 1 × 16 or 1 × 32)"
    assert feature_text(feature, 2) == "x (fp32, 1 × 8, flexible: 1 × 8 or 1 × 16 …)"


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (UnsupportedOps(model="m", ops=("nms", "crop")), "MLX lacks nms, crop"),
        (ModelHasNoImageInput(model="m", inputs=("x",)), "the model takes no image"),
        (UnsupportedModel(model="m", cause="it is {braced}"), "it is {braced}"),
        (ModelUnreadable(model="m", cause="c"), "“m” cannot be read as a Core ML model (c). Copy or export it again."),
    ],
)
def test_what_is_in_the_way_in_a_few_words(error, short):
    assert short_obstacle(error) == short


def test_the_same_reason_of_all_engines_is_one_line():
    lacks = to_wire(UnsupportedOps(model="m", ops=("nms",)))
    no_image = to_wire(ModelHasNoImageInput(model="m", inputs=("x",)))

    def lines(*obstacles: Obstacle) -> list[str]:
        return obstacle_lines(
            ModelCard("m", "m", Path("m"), "", 1, None, None, 1.0, "bilinear", False, obstacles=obstacles)
        )

    assert lines() == []
    assert lines(Obstacle("mlx", *lacks))[0].startswith("MLX cannot run it: “m” uses nms")
    both = lines(Obstacle("mlx", *no_image), Obstacle("coreml", *no_image))
    assert len(both) == 1
    assert both[0].startswith("No engine runs it: “m” takes x")
