"""What is known of a model, and whether the engines can feed it."""

from dataclasses import replace

import pytest

from app.compiler.facts import Feature, ImageInput, ModelFacts, require_one_image
from app.errors import ModelHasNoImageInput, UnsupportedModel

IMAGE = Feature("image", "image", (1, 5, 4, 3), "uint8", "RGB")
ARRAY = Feature("x", "multiArray", (1, 512, 3), "fp32")
FACTS = ModelFacts(
    name="m.mlmodel",
    digest="ab",
    kind="neuralNetwork",
    specification=4,
    inputs=(IMAGE,),
    output_features=(Feature("a", "multiArray"), Feature("b", "string")),
    functions=(),
    left_out=(),
    probabilities=None,
    label=None,
    labels=("x", 3),
    size_bytes=1,
    crop_fraction=1.0,
    interpolation="bilinear",
    metadata={},
)


def test_facts_come_back_from_json_as_they_were():
    flexible = replace(ARRAY, allowed=(((1, 1), (2, None), (3, 3)),), optional=True, default=0.5)
    facts = replace(FACTS, inputs=(IMAGE, flexible))
    assert ModelFacts.from_json(facts.to_json()) == facts


def test_outputs_and_the_one_image_follow_from_the_features():
    assert FACTS.outputs == ("a", "b")
    assert FACTS.image == ImageInput("image", 4, 5, "RGB")
    assert replace(FACTS, inputs=(IMAGE, replace(IMAGE, name="second"))).image is None


def test_a_model_of_one_image_can_be_fed():
    assert require_one_image(replace(FACTS, inputs=(replace(ARRAY, optional=True, default=0.0), IMAGE))).name == "image"


@pytest.mark.parametrize(
    "inputs",
    [
        (IMAGE, ARRAY),
        (IMAGE, replace(IMAGE, name="second")),
        (IMAGE, replace(ARRAY, optional=True)),
        (IMAGE, replace(ARRAY, kind="state", optional=True, default=0.0)),
    ],
)
def test_a_model_that_needs_more_than_an_image_is_refused(inputs):
    with pytest.raises(UnsupportedModel, match="more inputs"):
        require_one_image(replace(FACTS, inputs=inputs))


def test_a_model_without_an_image_names_its_inputs():
    with pytest.raises(ModelHasNoImageInput, match=r"x \(1 × 512 × 3\), word"):
        require_one_image(replace(FACTS, inputs=(ARRAY, Feature("word", "string"))))


@pytest.mark.parametrize(
    ("shape", "allowed"),
    [
        ((1, 512, 3), True),
        ((1, 2, 3), True),
        ((1, 9, 3), True),
        ((1, 10, 3), False),
        ((1, 2, 4), False),
        ((1, 2), False),
    ],
)
def test_allowed_shapes_are_the_own_one_and_those_in_a_range(shape, allowed):
    feature = replace(ARRAY, allowed=(((1, 1), (2, 9), (3, 3)),))
    assert feature.flexible
    assert feature.allows(shape) is allowed


def test_allowed_shapes_read_as_text():
    assert ARRAY.allowed_text() == "1 × 512 × 3"
    assert replace(ARRAY, allowed=(((1, 1), (2, 9), (3, None)),)).allowed_text() == "1 × 512 × 3 or 1 × 2…9 × 3…"
    assert replace(ARRAY, allowed=(((1, 1), (2, 512), (3, 3)),)).allowed_text() == "1 × 2…512 × 3"
