"""The networks of the speed comparison at full size: `build.py --benchmark FOLDER` writes them.

EfficientNet-Lite0, MobileNetV3-Large, ResNet-50, ConvNeXt-T and ViT-S/16 of timm, 224 × 224, 1000 classes, seeded
random weights, as classifiers in float16 (FOLDER/NAME.mlpackage) that normalise an image of 0 to 255 inside. PyTorch's
twin is `network(name)`.
"""

from __future__ import annotations

from pathlib import Path

import coremltools as ct
import networks  # noqa: F401  makes torchvision, which timm imports, loadable
import torch
from networks import MEAN, STD
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import timm  # isort: skip  after networks

NAMES = {
    "lite0": "efficientnet_lite0",
    "mobilenetv3": "mobilenetv3_large_100",
    "resnet50": "resnet50",
    "convnext_t": "convnext_tiny",
    "vit_s16": "vit_small_patch16_224",
}
SIZE = 224


class Classifier(nn.Module):
    """Probabilities of an image N × 3 × 224 × 224 with values from 0 to 255."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255)
        self.register_buffer("deviation", torch.tensor(STD).view(1, 3, 1, 1) * 255)

    def forward(self, x: Tensor) -> Tensor:
        """Softmax of the network's logits."""
        return torch.softmax(self.network((x - self.mean) / self.deviation), 1)


def network(name: str) -> nn.Module:
    """One of NAMES, the same at every call."""
    torch.manual_seed(0)
    made = timm.create_model(NAMES[name]).eval()
    numbers = torch.Generator().manual_seed(1)
    for norm in made.modules():
        if isinstance(norm, _BatchNorm):
            norm.running_mean.normal_(0, 0.1, generator=numbers)
            norm.running_var.uniform_(0.5, 1.5, generator=numbers)
    return Classifier(made).eval()


def write(folder: Path) -> None:
    """The packages that `folder` lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        package = folder / f"{name}.mlpackage"
        if package.exists():
            continue
        shape = (1, 3, SIZE, SIZE)
        model = ct.convert(
            torch.jit.trace(network(name), torch.rand(shape) * 255),
            inputs=[ct.ImageType(name="image", shape=shape)],
            classifier_config=ct.ClassifierConfig([f"class {number}" for number in range(1000)]),
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT16,
            skip_model_load=True,
        )
        model.save(str(package))
        print(name, flush=True)
