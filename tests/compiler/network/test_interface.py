"""Inputs and outputs of a rebuilt network."""

from __future__ import annotations

import numpy as np
import pytest

from app.compiler.network import mil_function
from app.compiler.reading.legalise import translate
from app.errors import ModelUnreadable, UnsupportedModel

pytestmark = pytest.mark.mlx


def names(specification):
    return [name for name, _ in translate(mil_function(specification, "network")).outputs]


def declare(specification, *shape):
    specification.description.output[0].type.multiArrayType.shape[:] = shape
    return specification


def relu(builder):
    builder.add_activation("relu", "RELU", "x0", "y")


@pytest.mark.parametrize("given", [(3, 4, 5), (7,)])
def test_older_blobs_have_five_axes_unless_the_description_says_less(network, run_network, noise, given):
    five = (1, 1, *given) if len(given) == 3 else (1, 1, 7, 1, 1)
    assert run_network(network(relu, given, rank_5=True), noise(*given))[0].shape == five
    assert run_network(declare(network(relu, given, rank_5=True), *given), noise(*given))[0].shape == given


def test_a_description_that_does_not_fit_is_not_followed(network, run_network, noise):
    specification = declare(network(relu, (3, 4, 5), rank_5=True), 5, 12)
    assert run_network(specification, noise(3, 4, 5))[0].shape == (1, 1, 3, 4, 5)


@pytest.mark.parametrize("given", [(), (2,), (2, 3), (2, 3, 4), (1, 2, 3, 4), (2, 1, 2, 3, 4)])
def test_newer_arrays_are_taken_exactly(network, run_network, noise, given):
    if given:
        assert run_network(network(relu, given), noise(*given))[0].shape == given


@pytest.mark.parametrize("given", [(2, 3), (1, 2, 3, 4)])
def test_older_arrays_have_one_or_three_axes(network, given):
    specification = network(relu, given)
    specification.neuralNetwork.arrayInputShapeMapping = 0
    with pytest.raises(ModelUnreadable, match="1 or 3"):
        mil_function(specification, "network")


@pytest.mark.parametrize("mapping", [0, 1])
@pytest.mark.parametrize(("colour", "channels"), [(10, 1), (20, 3), (30, 3)])
def test_images_in_and_out_have_four_axes(network, run_network, noise, mapping, colour, channels):
    specification = network(relu, (channels, 4, 5))
    specification.neuralNetwork.imageInputShapeMapping = mapping
    for feature in (specification.description.input[0], specification.description.output[0]):
        image = feature.type.imageType
        image.height, image.width, image.colorSpace = 4, 5, colour
    (y,) = run_network(specification, noise(1, channels, 4, 5))
    np.testing.assert_array_equal(y, np.maximum(noise(1, channels, 4, 5), 0))


def test_an_input_of_another_kind_is_refused(network):
    specification = network(relu, (3,))
    specification.description.input[0].type.int64Type.SetInParent()
    with pytest.raises(UnsupportedModel, match="x0"):
        mil_function(specification, "network")


def test_an_output_that_nothing_gives_is_named(network):
    specification = network(relu, (3,))
    specification.description.output[0].name = "elsewhere"
    with pytest.raises(ModelUnreadable, match="elsewhere"):
        mil_function(specification, "network")


def test_outputs_keep_their_names_beside_those_that_the_builder_makes_up(network, run_network, noise):
    """coremltools calls the first relu of a program "relu_0"."""

    def add(builder):
        builder.add_activation("one", "RELU", "x0", "relu_1")
        builder.add_activation("two", "RELU", "relu_1", "relu_0")
        builder.add_activation("three", "TANH", "relu_0", "add_0")
        builder.add_copy("four", "add_0", "again")

    wanted = ("relu_0", "relu_1", "add_0", "again", "same")
    specification = network(lambda b: (add(b), b.add_copy("five", "x0", "same")), (3,), outputs=wanted)
    assert names(specification) == list(wanted)
    x = noise(3)
    results = dict(zip(wanted, run_network(specification, x), strict=True))
    np.testing.assert_array_equal(results["relu_0"], np.maximum(x, 0))
    np.testing.assert_array_equal(results["again"], results["add_0"])
    np.testing.assert_array_equal(results["same"], x)


def as_classifier(specification, probabilities=None):
    """The same network as a classifier of three labels."""
    layers = specification.neuralNetwork
    made = type(specification)()
    made.CopyFrom(specification)
    made.neuralNetworkClassifier.layers.extend(layers.layers)
    made.neuralNetworkClassifier.arrayInputShapeMapping = layers.arrayInputShapeMapping
    made.neuralNetworkClassifier.stringClassLabels.vector.extend(["ant", "bee", "cat"])
    made.neuralNetworkClassifier.labelProbabilityLayerName = probabilities or ""
    del made.description.output[:]
    made.description.output.add(name="scores").type.dictionaryType.stringKeyType.SetInParent()
    made.description.output.add(name="label").type.stringType.SetInParent()
    made.description.predictedFeatureName, made.description.predictedProbabilitiesName = "label", "scores"
    return made


def softmax(builder):
    builder.add_softmax("softmax", "x0", "y")
    builder.add_unary("late", "y", "z", "abs", scale=2.0)


@pytest.mark.parametrize(("named", "scale"), [("y", 1), ("z", 2), (None, 2)])
def test_probabilities_are_one_row_named_as_the_description_does(network, run_network, noise, named, scale):
    """Without a name it is what the last layer gives."""
    specification = as_classifier(network(softmax, (3,), rank_5=True), named)
    assert names(specification) == ["scores"]
    (scores,) = run_network(specification, noise(3))
    powers = np.exp(noise(3))
    np.testing.assert_allclose(scores, scale * powers[None] / powers.sum(), rtol=1e-5)


def test_probabilities_for_other_labels_are_refused(network):
    specification = as_classifier(network(softmax, (4,), rank_5=True))
    with pytest.raises(ModelUnreadable, match="4 probabilities for 3 labels"):
        mil_function(specification, "network")
