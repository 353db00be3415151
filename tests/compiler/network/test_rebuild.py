"""Networks as a whole: what is refused, and how."""

from __future__ import annotations

import numpy as np
import pytest
from coremltools.proto.NeuralNetwork_pb2 import NeuralNetworkLayer

from app.compiler.network import mil_function
from app.compiler.network.layer import rebuilds
from app.compiler.network.rebuild import KINDS
from app.errors import ModelUnreadable, UnsupportedOps

pytestmark = pytest.mark.mlx

REFUSED = {
        "custom",   "loopBreak",
    "loopContinue", "randomNormalLike", "randomNormalStatic", "randomNormalDynamic", "randomUniformLike",
    "randomUniformStatic", "randomUniformDynamic", "randomBernoulliLike", "randomBernoulliStatic",
    "randomBernoulliDynamic", "categoricalDistribution", "whereNonZero",
}  # fmt: skip


def test_every_layer_kind_of_the_format_is_rebuilt_or_refused_on_purpose():
    kinds = {field.name for field in NeuralNetworkLayer.DESCRIPTOR.oneofs_by_name["layer"].fields}
    assert kinds - REFUSED == KINDS


def test_a_kind_has_one_function():
    with pytest.raises(ValueError, match="twice"):
        rebuilds("convolution")(lambda layer: layer.x)


def test_unknown_layers_are_named_all_at_once(network):
    def add(builder):
        builder.add_activation("first", "RELU", "x0", "a")
        builder.add_where_nonzero("places", "a", "b")
        builder.add_random_normal_static("dice", "c", [2], 0.0, 1.0, 1)
        builder.add_add_broadcastable("last", ["b", "c"], "y")

    with pytest.raises(UnsupportedOps) as caught:
        mil_function(network(add, (3,)), "network")
    assert caught.value.fields["ops"] == ("places (whereNonZero)", "dice (randomNormalStatic)")


def test_a_layer_of_somebodys_own_is_named_with_its_class(network):
    specification = network(lambda b: b.add_copy("same", "x0", "y"), (3,))
    specification.neuralNetwork.layers[0].custom.className = "ResidualCrop"
    with pytest.raises(UnsupportedOps, match="same \\(custom ResidualCrop\\)"):
        mil_function(specification, "network")


def test_a_layer_of_no_kind_is_named(network):
    specification = network(lambda b: b.add_copy("same", "x0", "y"), (3,))
    specification.neuralNetwork.layers.add(name="empty")
    with pytest.raises(UnsupportedOps, match="empty \\(unknown\\)"):
        mil_function(specification, "network")


def test_a_blob_that_nothing_gives_is_named(network):
    specification = network(lambda b: b.add_copy("same", "x0", "y"), (3,))
    specification.neuralNetwork.layers[0].input[0] = "nothing"
    with pytest.raises(ModelUnreadable, match=r"same.*nothing"):
        mil_function(specification, "network")


def test_weights_that_do_not_fit_are_named_with_their_layer(network, noise):
    specification = network(lambda b: b.add_inner_product("product", noise(4, 5), None, 5, 4, False, "x0", "y"), (5,))
    del specification.neuralNetwork.layers[0].innerProduct.weights.floatValue[-1]
    with pytest.raises(ModelUnreadable, match=r"product \(innerProduct\).*19 weights, needs 20"):
        mil_function(specification, "network")


def test_channels_that_do_not_fit_are_named_with_their_layer(network, noise):
    specification = network(
        lambda b: b.add_convolution("conv", 4, 2, 1, 1, 1, 1, "valid", 1, noise(1, 1, 4, 2), None, False,
                                    input_name="x0", output_name="y"),
        (1, 3, 5, 5),
    )  # fmt: skip
    with pytest.raises(ModelUnreadable, match=r"conv \(convolution\)"):
        mil_function(specification, "network")


def test_more_outputs_than_a_layer_gives_are_named(network):
    specification = network(lambda b: b.add_copy("same", "x0", "y"), (3,))
    specification.neuralNetwork.layers[0].output.append("more")
    with pytest.raises(ModelUnreadable, match="same"):
        mil_function(specification, "network")


def test_half_precision_weights_reach_the_program_as_stored(network, noise):
    weight = noise(4, 5).astype(np.float16)
    specification = network(
        lambda b: b.add_inner_product("product", weight.astype(np.float32), None, 5, 4, False, "x0", "y"), (5,)
    )
    stored = specification.neuralNetwork.layers[0].innerProduct.weights
    del stored.floatValue[:]
    stored.float16Value = weight.tobytes()
    function = mil_function(specification, "network")
    (product,) = [op for op in function.operations if op.op_type == "linear"]
    assert product.weight.val.dtype == np.float16


def test_training_layers_are_no_part_of_the_answer(network, run_network, noise):
    specification = network(lambda b: b.add_softmax_nd("softmax", "x0", "y", 0), (3,))
    specification.neuralNetwork.layers[0].isUpdatable = True
    specification.isUpdatable = True
    loss = specification.neuralNetwork.updateParams.lossLayers.add(name="loss")
    loss.categoricalCrossEntropyLossLayer.input = "y"
    loss.categoricalCrossEntropyLossLayer.target = "target"
    powers = np.exp(noise(3))
    np.testing.assert_allclose(run_network(specification, noise(3))[0], powers / powers.sum(), rtol=1e-5)
