"""Networks of the zoo that neither library makes small enough, or at all. For networks.py, in `.venv-models`."""

from __future__ import annotations

from collections import OrderedDict

import timm
import torch
import torchvision
from timm.models import mlp_mixer, pnasnet, sequencer
from timm.models.byobnet import ByobNet, ByoModelCfg, _mobileone_bcfg
from timm.models.inception_resnet_v2 import InceptionResnetV2
from timm.models.metaformer import Attention, GroupNorm1NoBias, LayerNorm2dNoBias, LayerNormNoBias, MetaFormer, SepConv
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 40


def vgg() -> nn.Module:
    """Two convolutions a stage, three fully connected layers with dropout."""
    features = torchvision.models.vgg.make_layers([16, 16, "M", 32, 32, "M", 64, 64, "M"], batch_norm=True)
    network = torchvision.models.VGG(features, num_classes=CLASSES, init_weights=False)
    network.classifier[0] = nn.Linear(64 * 7 * 7, 128)
    network.classifier[3] = nn.Linear(128, 128)
    network.classifier[6] = nn.Linear(128, CLASSES)
    return network


def inception_resnet() -> nn.Module:
    """Inception-ResNet-v2 with one block of each kind in place of 10, 20 and 9."""
    network = InceptionResnetV2(num_classes=CLASSES)
    for repeated in (network.repeat, network.repeat_1, network.repeat_2):
        del repeated[1:]
    return network


def inception() -> nn.Module:
    """Inception v3 with one of its blocks of each shape."""
    network = timm.create_model("inception_v3", num_classes=CLASSES, aux_logits=False)
    for name in ("Mixed_5d", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7c"):
        setattr(network, name, nn.Identity())
    return network


class Shift(nn.Module):
    """What nn.ZeroPad2d((-1, 1, -1, 1)) does, without the negative padding that coremltools 9.0 refuses."""

    def forward(self, x: Tensor) -> Tensor:
        """x one pixel up and to the left."""
        return functional.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))


def _without_negative_padding(network: nn.Module) -> nn.Module:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ZeroPad2d) and child.padding[0] < 0:
                setattr(module, name, Shift())
    return network


def poolformer() -> nn.Module:
    """PoolFormerV2 with few channels."""
    return MetaFormer(
        num_classes=CLASSES,
        depths=(1, 1, 2, 1),
        dims=(32, 48, 64, 96),
        norm_layers=GroupNorm1NoBias,
        use_mlp_head=False,
    )


def caformer() -> nn.Module:
    """CAFormer with few channels: separable convolutions, then attention."""
    return MetaFormer(
        num_classes=CLASSES,
        depths=(1, 1, 2, 1),
        dims=(32, 64, 96, 128),
        token_mixers=[SepConv, SepConv, Attention, Attention],
        norm_layers=[LayerNorm2dNoBias] * 2 + [LayerNormNoBias] * 2,
    )


class Pnasnet(nn.Module):
    """PNASNet's stem cell, a reducing and a normal cell, with a sixth of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, bias=False), nn.BatchNorm2d(16))
        self.stem = pnasnet.CellStem0(in_chs_left=16, out_chs_left=9, in_chs_right=16, out_chs_right=9)
        self.reduce = pnasnet.Cell(16, 18, 45, 18, match_prev_layer_dims=True, is_reduction=True)
        self.normal = pnasnet.Cell(45, 36, 90, 36, match_prev_layer_dims=True)
        self.head = nn.Linear(180, CLASSES)
        _without_negative_padding(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        start = self.start(x)
        stem = self.stem(start)
        reduced = self.reduce(start, stem)
        return self.head(functional.relu(self.normal(stem, reduced)).mean((2, 3)))


def mobileone() -> nn.Module:
    """MobileOne-S0 with fewer blocks and squeeze-and-excitation in the last stage."""
    blocks = _mobileone_bcfg(d=(1, 2, 2, 1), wf=(0.5, 0.5, 0.5, 0.5), se_blocks=(0, 0, 0, 1), num_conv_branches=2)
    return ByobNet(ByoModelCfg(blocks=blocks, stem_type="one", stem_chs=32), num_classes=CLASSES)


def resmlp() -> nn.Module:
    """ResMLP with three blocks."""
    return mlp_mixer.MlpMixer(
        CLASSES,
        64,
        embed_dim=96,
        num_blocks=3,
        mlp_ratio=4,
        block_layer=mlp_mixer.ResBlock,
        norm_layer=mlp_mixer.Affine,
    )


def gmlp() -> nn.Module:
    """gMLP with three blocks."""
    block, mlp = mlp_mixer.SpatialGatingBlock, mlp_mixer.GatedMlp
    return mlp_mixer.MlpMixer(CLASSES, 64, embed_dim=96, num_blocks=3, mlp_ratio=6, block_layer=block, mlp_layer=mlp)


def lstm2d() -> nn.Module:
    """Sequencer2D with one block a stage."""
    return sequencer.Sequencer2d(
        CLASSES, 56, layers=(1, 1), patch_sizes=(7, 2), embed_dims=(32, 48), hidden_sizes=(8, 12), mlp_ratios=(3.0, 3.0)
    )


def lenet() -> nn.Module:
    """Two convolutions and two fully connected layers on one grey channel."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 5), nn.PReLU(16), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 64), nn.Sigmoid(), nn.Linear(64, 10),
    )  # fmt: skip


def deeplab() -> nn.Module:
    """A dilated ResNet, atrous spatial pyramid pooling, and bilinear upsampling to the size of the image."""
    backbone = timm.create_model("resnet26", layers=(1, 1, 1, 1), features_only=True, out_indices=(4,), output_stride=8)
    aspp = torchvision.models.segmentation.deeplabv3.ASPP(2048, [2, 4, 6], out_channels=32)

    class Deeplab(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.aspp, self.head = backbone, aspp, nn.Conv2d(32, 7, 1)

        def forward(self, x: Tensor) -> Tensor:
            """Seven class maps."""
            y = self.head(self.aspp(self.backbone(x)[0]))
            return functional.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)

    return Deeplab()


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1),
    )  # fmt: skip


class Unet(nn.Module):
    """Down with pooling, up with transposed convolutions, joined by concatenation."""

    def __init__(self) -> None:
        super().__init__()
        widths = (12, 24, 48)
        self.down = nn.ModuleList(_twice(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in (24, 12))
        self.join = nn.ModuleList(_twice(2 * w, w) for w in (24, 12))
        self.head = nn.Conv2d(12, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Three maps of the image's size, 0 to 1."""
        kept = []
        for step in self.down:
            x = step(functional.max_pool2d(x, 2) if kept else x)
            kept.append(x)
        for up, join, skip in zip(self.up, self.join, kept[-2::-1], strict=True):
            x = join(torch.cat([skip, up(x)], dim=1))
        return torch.sigmoid(self.head(x))


class Fpn(nn.Module):
    """ResNet features, a feature pyramid, and a head that all levels share: classes and boxes of every place."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = timm.create_model("resnet10t", features_only=True, out_indices=(2, 3, 4))
        channels = self.backbone.feature_info.channels()
        self.pyramid = torchvision.ops.FeaturePyramidNetwork(channels, 32)
        self.classes = nn.Sequential(
            nn.Conv2d(32, 32, 3, padding=1), nn.GroupNorm(4, 32), nn.ReLU(), nn.Conv2d(32, 15, 1)
        )
        self.boxes = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 12, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores N × places · 3 × 5, boxes N × places · 3 × 4."""
        levels = self.pyramid(OrderedDict((str(i), y) for i, y in enumerate(self.backbone(x)))).values()
        scores = [self.classes(y).permute(0, 2, 3, 1).reshape(x.shape[0], -1, 5) for y in levels]
        boxes = [self.boxes(y).permute(0, 2, 3, 1).reshape(x.shape[0], -1, 4) for y in levels]
        return torch.sigmoid(torch.cat(scores, 1)), torch.exp(torch.cat(boxes, 1).clamp(max=4))


class Detr(nn.Module):
    """A convolutional map, two encoder and two decoder layers, learned queries."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = timm.create_model("resnet10t", features_only=True, out_indices=(3,))
        self.project = nn.Conv2d(self.backbone.feature_info.channels()[-1], 64, 1)
        # The fused kernel of PyTorch's encoder is one operation that coremltools does not know.
        torch.backends.mha.set_fastpath_enabled(False)
        self.transformer = nn.Transformer(64, 4, 2, 2, 128, batch_first=True, norm_first=True)
        self.queries = nn.Parameter(torch.randn(1, 9, 64))
        self.places = nn.Parameter(torch.randn(1, 16, 64))
        self.classes, self.boxes = nn.Linear(64, 6), nn.Linear(64, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class scores N × 9 × 6, boxes N × 9 × 4."""
        memory = self.project(self.backbone(x)[0]).flatten(2).transpose(1, 2) + self.places
        y = self.transformer(memory, self.queries.expand(x.shape[0], -1, -1))
        return self.classes(y), self.boxes(y).sigmoid()


def super_resolution() -> nn.Module:
    """Residual convolutions and a pixel shuffle: an image three times as large."""
    body = [layer for _ in range(3) for layer in (nn.Conv2d(24, 24, 3, padding=1), nn.PReLU(24))]
    return nn.Sequential(nn.Conv2d(3, 24, 5, padding=2), *body, nn.Conv2d(24, 27, 3, padding=1), nn.PixelShuffle(3))


def style() -> nn.Module:
    """Reflection padding, strided convolutions, instance norm, nearest-neighbour upsampling."""

    def block(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
        pad = nn.ReflectionPad2d(kernel // 2)
        return [pad, nn.Conv2d(inputs, outputs, kernel, stride), nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]

    return nn.Sequential(
        *block(3, 12, 9), *block(12, 24, 3, 2), *block(24, 32, 3, 2), *block(32, 32, 3),
        nn.Upsample(scale_factor=2, mode="nearest"), *block(32, 24, 3),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), *block(24, 12, 3),
        nn.ReflectionPad2d(4), nn.Conv2d(12, 3, 9), nn.Tanh(),
    )  # fmt: skip
