"""NeuralNetwork layers -> MIL: the older of the two kinds of network in a Core ML file, rebuilt as the newer one.

coremltools' MIL builder makes the operations; each layer kind has one function in `layers/`, whose meaning is that of
NeuralNetwork.proto in coremltools' sources.
"""

from __future__ import annotations

from typing import Any


def mil_function(specification: Any, package_name: str) -> Any:
    """The network of a NeuralNetwork, -Classifier or -Regressor `Model` message as coremltools' MIL function.

    Inputs and outputs are named as the description names them. An image is float32, 1×C×H×W, its values 0…255 in the
    colour order that the file declares; the network's own scaling of it is part of the function. An array input is
    float32 in its declared shape. A classifier's probabilities are 1×labels; its label is no output.

    Raises UnsupportedOps with every layer that cannot be rebuilt ("name (kind)"), ModelUnreadable for a network that
    contradicts itself, UnsupportedModel for an input of another kind.
    """
    # Imported here: coremltools takes half a second, and who only asks for facts needs none of it.
    from app.compiler.network.rebuild import rebuild

    return rebuild(specification, package_name)
