"""Whole NeuralNetwork files through `compile_model`."""

from __future__ import annotations

import numpy as np
import pytest
from coremltools.models.datatypes import Array
from coremltools.models.neural_network import NeuralNetworkBuilder

from app.compiler import compile_model

pytestmark = pytest.mark.mlx

LABELS = ["ant", "bee", "cat"]
COLOURS = {"RGB": 20, "BGR": 30, "GRAYSCALE": 10}


@pytest.fixture(scope="module")
def old_classifier(tmp_path_factory):
    """old_classifier(colour): a file by the older shape rules: convolution, pooling, two inner products, softmax."""

    def make(colour):
        channels = 1 if colour == "GRAYSCALE" else 3
        draw = np.random.default_rng(0).standard_normal
        builder = NeuralNetworkBuilder([("image", Array(channels, 10, 12))], [("scores", None)], mode="classifier")
        builder.add_convolution("conv", channels, 4, 3, 3, 1, 1, "same", 1, draw((3, 3, channels, 4)), draw(4), True,
                                input_name="image", output_name="conv")  # fmt: skip
        builder.add_activation("relu", "RELU", "conv", "relu")
        builder.add_pooling("pool", 3, 3, 2, 2, "MAX", "SAME", "relu", "pool")
        builder.add_flatten("flat", 1, "pool", "flat")
        builder.add_inner_product("first", draw((6, 120)), draw(6), 120, 6, True, "flat", "first")
        builder.add_activation("tanh", "TANH", "first", "tanh")
        builder.add_inner_product("second", draw((3, 6)), None, 6, 3, False, "tanh", "second")
        builder.add_softmax("softmax", "second", "scores")
        builder.set_class_labels(LABELS, predicted_feature_name="label", prediction_blob="scores")
        builder.set_pre_processing_parameters(image_input_names=["image"], image_scale=1 / 255, red_bias=-0.5,
                                              blue_bias=-0.4, gray_bias=-0.3)  # fmt: skip
        image = builder.spec.description.input[0].type.imageType
        image.width, image.height, image.colorSpace = 12, 10, COLOURS[colour]
        path = tmp_path_factory.mktemp("models") / f"{colour}.mlmodel"
        path.write_bytes(builder.spec.SerializeToString())
        return path, builder.spec

    return make


def expected(specification, pixels, colour):
    """The classifier written out for N×H×W×C pixels in RGB order."""
    layers = {layer.name: layer for layer in specification.neuralNetworkClassifier.layers}
    order = {"RGB": [0, 1, 2], "BGR": [2, 1, 0], "GRAYSCALE": [0]}[colour]
    bias = {"RGB": [-0.5, 0, -0.4], "BGR": [-0.4, 0, -0.5], "GRAYSCALE": [-0.3]}[colour]
    x = pixels[..., order].transpose(0, 3, 1, 2) / 255 + np.reshape(bias, (1, -1, 1, 1))
    weight = np.array(layers["conv"].convolution.weights.floatValue).reshape(4, -1, 3, 3)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    offset = np.array(layers["conv"].convolution.bias.floatValue).reshape(-1, 1, 1)
    y = np.maximum(np.einsum("nchwij,ocij->nohw", windows, weight) + offset, 0)
    y = np.pad(y, ((0, 0), (0, 0), (0, 1), (0, 1)))
    y = np.lib.stride_tricks.sliding_window_view(y, (3, 3), (2, 3)).max((-1, -2))[:, :, ::2, ::2]
    y = y.transpose(0, 2, 3, 1).reshape(len(x), 120)
    first, second = layers["first"].innerProduct, layers["second"].innerProduct
    y = np.tanh(y @ np.array(first.weights.floatValue).reshape(6, 120).T + np.array(first.bias.floatValue))
    powers = np.exp(y @ np.array(second.weights.floatValue).reshape(3, 6).T)
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_classifier_of_an_older_file(old_classifier, colour):
    path, specification = old_classifier(colour)
    model = compile_model(path)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 10, 12, 1 if colour == "GRAYSCALE" else 3), np.uint8)
    wanted = expected(specification, pixels, colour)
    answer = model(image=pixels)
    np.testing.assert_allclose(answer["scores"], wanted, rtol=1e-4, atol=1e-6)
    assert list(answer["label"]) == [LABELS[i] for i in wanted.argmax(1)]
    single = np.concatenate([model(image=one[None])["scores"] for one in pixels])
    np.testing.assert_allclose(answer["scores"], single, rtol=1e-5, atol=1e-7)


def saved(specification, path):
    path.write_bytes(specification.SerializeToString())
    return path


def test_an_image_made_of_an_image(network, tmp_path):
    """In and out are BGR inside and RGB outside; what leaves is rounded and cut to bytes."""
    specification = network(
        lambda b: b.add_bias("shift", np.array([10.0, 100.0, -100.0]), "x0", "y", [3]), (3, 4, 5), rank_5=True
    )
    for feature in (specification.description.input[0], specification.description.output[0]):
        image = feature.type.imageType
        image.width, image.height, image.colorSpace = 5, 4, COLOURS["BGR"]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 5, 3), np.uint8)
    (given,) = compile_model(saved(specification, tmp_path / "image.mlmodel"))(x0=pixels).values()
    assert given.dtype == np.uint8
    np.testing.assert_array_equal(given, np.clip(pixels + np.array([-100, 100, 10]), 0, 255))


def test_a_regressor(network, tmp_path, noise):
    specification = network(lambda b: b.add_inner_product("sum", np.ones((1, 5)), None, 5, 1, False, "x0", "y"), (5,))
    made = type(specification)()
    made.CopyFrom(specification)
    made.neuralNetworkRegressor.layers.extend(specification.neuralNetwork.layers)
    made.neuralNetworkRegressor.arrayInputShapeMapping = 1
    made.description.predictedFeatureName = "y"
    x = noise(5)
    answer = compile_model(saved(made, tmp_path / "regressor.mlmodel"))(x0=x)
    np.testing.assert_allclose(answer["y"], [x.sum()], rtol=1e-5)


def test_flexible_sizes_are_rebuilt_for_each(network, tmp_path, noise):
    """Sizes that layers work out from the shape follow it."""

    def add(builder):
        builder.add_get_shape("shape", "x0", "shape")
        builder.add_slice_static("width", "shape", "width", [3], [4], [1], [False], [False])
        builder.add_load_constant_nd("front", "front", np.array([1.0, -1.0]), [2])
        builder.add_concat_nd("target", ["front", "width"], "target", 0)
        builder.add_reshape_dynamic("rows", ["x0", "target"], "y")

    specification = network(add, (1, 2, 3, 4))
    sizes = specification.description.input[0].type.multiArrayType.enumeratedShapes
    for shape in ((1, 2, 3, 4), (1, 2, 5, 6)):
        sizes.shapes.add().shape.extend(shape)
    model = compile_model(saved(specification, tmp_path / "flexible.mlmodel"))
    for shape in ((1, 2, 3, 4), (1, 2, 5, 6)):
        x = noise(*shape)
        np.testing.assert_array_equal(model(x0=x)["y"], x.reshape(1, -1, shape[-1]))


def test_a_pipeline_of_two_networks(network, tmp_path, noise):
    first = network(lambda b: b.add_activation("relu", "RELU", "x0", "y"), (3, 4, 5), rank_5=True)
    second = network(lambda b: b.add_activation("double", "LINEAR", "x0", "y", [2.0, 1.0]), (3, 4, 5), rank_5=True)
    for specification, names in ((first, {"y": "between"}), (second, {"x0": "between"})):
        for feature in (*specification.description.input, *specification.description.output):
            feature.name = names.get(feature.name, feature.name)
        (layer,) = specification.neuralNetwork.layers
        layer.input[0], layer.output[0] = (names.get(name, name) for name in (layer.input[0], layer.output[0]))
        specification.description.output[0].type.multiArrayType.shape[:] = (3, 4, 5)
    whole = type(first)(specificationVersion=first.specificationVersion)
    whole.description.input.append(first.description.input[0])
    whole.description.output.append(second.description.output[0])
    whole.pipeline.models.extend([first, second])
    x = noise(3, 4, 5)
    answer = compile_model(saved(whole, tmp_path / "pipeline.mlmodel"))(x0=x)
    np.testing.assert_allclose(answer["y"], 2 * np.maximum(x, 0) + 1, rtol=1e-6)
