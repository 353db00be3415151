"""What a network does to its image first."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import ModelUnreadable

pytestmark = pytest.mark.mlx

COLOURS = {"GRAYSCALE": 10, "RGB": 20, "BGR": 30}


@pytest.fixture
def of_image(network):
    """of_image(colour): a network that gives back its image x0 of 4 × 5 pixels."""

    def make(colour):
        channels = 1 if colour == "GRAYSCALE" else 3
        specification = network(lambda b: b.add_activation("same", "LINEAR", "x0", "y", [1.0, 0.0]), (channels, 4, 5))
        image = specification.description.input[0].type.imageType
        image.height, image.width, image.colorSpace = 4, 5, COLOURS[colour]
        return specification

    return make


def scaler(specification, name="x0", scale=0.5):
    one = specification.neuralNetwork.preprocessing.add()
    one.featureName = name
    one.scaler.channelScale = scale
    one.scaler.redBias, one.scaler.greenBias, one.scaler.blueBias, one.scaler.grayBias = 1, 2, 3, 4
    return specification


@pytest.mark.parametrize(("colour", "biases"), [("RGB", [1, 2, 3]), ("BGR", [3, 2, 1]), ("GRAYSCALE", [4])])
@pytest.mark.parametrize("name", ["x0", ""])
def test_each_channel_gets_the_bias_of_its_colour(of_image, run_network, noise, colour, biases, name):
    x = noise(1, len(biases), 4, 5)
    (y,) = run_network(scaler(of_image(colour), name), x)
    np.testing.assert_allclose(y, x * 0.5 + np.reshape(biases, (1, -1, 1, 1)), rtol=1e-6)


def test_a_scale_that_is_not_set_is_one(of_image, run_network, noise):
    (y,) = run_network(scaler(of_image("GRAYSCALE"), scale=0), noise(1, 1, 4, 5))
    np.testing.assert_allclose(y, noise(1, 1, 4, 5) + 4, rtol=1e-6)


def test_a_mean_image_is_subtracted(of_image, run_network, noise):
    mean, specification = noise(3, 4, 5, seed=1), of_image("RGB")
    one = specification.neuralNetwork.preprocessing.add(featureName="x0")
    one.meanImage.meanImage.extend(mean.reshape(-1).tolist())
    (y,) = run_network(specification, noise(1, 3, 4, 5))
    np.testing.assert_allclose(y, noise(1, 3, 4, 5) - mean, rtol=1e-6)


def test_a_mean_image_of_another_size_is_refused(of_image, run_network, noise):
    specification = of_image("RGB")
    one = specification.neuralNetwork.preprocessing.add(featureName="x0")
    one.meanImage.meanImage.extend([1.0, 2.0])
    with pytest.raises(ModelUnreadable):
        run_network(specification, noise(1, 3, 4, 5))


def test_preprocessing_of_no_input_is_refused(of_image, run_network, noise):
    with pytest.raises(ModelUnreadable, match="other"):
        run_network(scaler(of_image("RGB"), "other"), noise(1, 3, 4, 5))
