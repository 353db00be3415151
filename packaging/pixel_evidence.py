"""Measure how the networks expect pixels, instead of believing it.

Three kinds of evidence, all on the photos of resources/samples:

- *Answers*: how probable the right label is, and how often it is first, under each way to scale and to crop.
- *Statistics*: the first batch norm remembers mean and variance of what the first convolution gave out in training.
  Only the scaling of the training reproduces them on other photos. This needs no labels.
- *Fit*: with y = (x - m) / s the variances depend on s alone, and then the means on m, so the 32 channels tell which m
  and s the weights were trained with, without any candidate in mind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import efficientnet_lite
import numpy as np
import torch
from efficientnet_lite import Variant
from PIL import Image
from samples import Sample, read_samples

from app.imaging.crop import Crop, prepare

Scaling = Callable[[torch.Tensor], torch.Tensor]

_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

SCALINGS: dict[str, Scaling] = {
    "(x - 127) / 128": lambda x: (x - 127) / 128,
    "ImageNet mean and std": lambda x: (x / 255 - _MEAN) / _STD,
    "x / 255": lambda x: x / 255,
    "x": lambda x: x,
    "(x - 127) / 128, BGR": lambda x: (x.flip(1) - 127) / 128,
}
"""The candidates. `x / 127.5 - 1` is not among them: it differs from the first by less than half a step of 255."""


@dataclass(frozen=True)
class Score:
    """`right` is the mean probability of the right labels; `first` how many photos have one in the first place."""

    right: float
    first: int
    photos: int


def print_evidence(variant: Variant) -> None:
    """Print all three kinds for one network."""
    network = efficientnet_lite.load_network(variant)
    samples = read_samples()
    own = _photos(samples, variant, Crop.CENTRE, variant.crop_fraction, "bicubic")
    print(f"\n{variant.shown_name}, {len(samples)} photos")
    print("  scaling                  right label  first    mean is off by  variance is off by")
    for name, scale in SCALINGS.items():
        score = answers(network, [scale(x) for x in own], samples)
        mean_off, variance_off = statistics(network, [scale(x) for x in own])
        print(
            f"  {name:24} {score.right:10.3f}   {score.first:2d}/{score.photos}"
            f"   {mean_off:8.2f} std      × {variance_off:.3g}"
        )
    middle, spread = fit(network, own)
    print(f"  best fit to the first batch norm: (x - {middle:.0f}) / {spread:.0f}")
    print("  crop                     right label  first")
    for name, crop, fraction, interpolation in _crops(variant):
        photos = [SCALINGS["(x - 127) / 128"](x) for x in _photos(samples, variant, crop, fraction, interpolation)]
        score = answers(network, photos, samples)
        print(f"  {name:24} {score.right:10.3f}   {score.first:2d}/{score.photos}")


def answers(network: torch.nn.Module, photos: list[torch.Tensor], samples: list[Sample]) -> Score:
    """How right the network is about `photos`, each scaled and 1×3×H×W."""
    labels = efficientnet_lite.labels()
    right, first = 0.0, 0
    for photo, sample in zip(photos, samples, strict=True):
        with torch.inference_mode():
            probabilities = torch.softmax(network(photo), dim=1)[0]
        expected = [labels.index(label) for label in sample.expected]
        right += float(probabilities[expected].sum())
        first += int(probabilities.argmax()) in expected
    return Score(right / len(samples), first, len(samples))


def statistics(network: torch.nn.Module, photos: list[torch.Tensor]) -> tuple[float, float]:
    """How far the first convolution's output is from what the batch norm behind it remembers.

    The mean over the channels of |mean - remembered mean| in remembered standard deviations; and the median over the
    channels of variance / remembered variance, which is 1 when the spread of the pixels is right.
    """
    with torch.inference_mode():
        outputs = torch.cat([network._conv_stem(photo) for photo in photos])
    norm, alive = network._bn0, _alive(network)
    mean, variance = outputs.mean((0, 2, 3)), outputs.var((0, 2, 3))
    mean_off = ((mean - norm.running_mean).abs() / norm.running_var.sqrt())[alive].mean()
    return float(mean_off), float((variance / norm.running_var)[alive].median())


def fit(network: torch.nn.Module, photos: list[torch.Tensor]) -> tuple[float, float]:
    """m and s of the scaling (x - m) / s that gives the remembered variances and means best; `photos` are not scaled.

    s from the median over the channels, m by least squares in units of the remembered standard deviations.
    """
    with torch.inference_mode():
        outputs = torch.cat([network._conv_stem(photo) for photo in photos])
        ones = torch.cat([network._conv_stem(torch.ones_like(photo)) for photo in photos[:1]])
    norm, alive = network._bn0, _alive(network)
    spread = float((outputs.var((0, 2, 3)) / norm.running_var)[alive].median().sqrt())
    weight = norm.running_var[alive].rsqrt().numpy()
    difference = (outputs.mean((0, 2, 3)) / spread - norm.running_mean)[alive].numpy() * weight
    slope = ones.mean((0, 2, 3))[alive].numpy() / spread * weight
    return float(np.dot(slope, difference) / np.dot(slope, slope)), spread


def _alive(network: torch.nn.Module) -> torch.Tensor:
    """The channels of the first convolution that give anything out."""
    return network._bn0.running_var > 1e-4


def _crops(variant: Variant) -> list[tuple[str, Crop, float, str]]:
    own = variant.crop_fraction
    return [
        (f"{own:g} of the centre", Crop.CENTRE, own, "bicubic"),
        ("  the same, bilinear", Crop.CENTRE, own, "bilinear"),
        ("0.75 of the centre", Crop.CENTRE, 0.75, "bicubic"),
        ("the whole centre", Crop.CENTRE, 1.0, "bicubic"),
        ("stretched", Crop.STRETCH, 1.0, "bicubic"),
    ]


def _photos(
    samples: list[Sample], variant: Variant, crop: Crop, fraction: float, interpolation: str
) -> list[torch.Tensor]:
    """The photos as the network gets them before scaling: each 1×3×size×size, 0…255."""
    size = (variant.size, variant.size)
    rgb = [np.asarray(Image.open(sample.path).convert("RGB")) for sample in samples]
    images = [prepare(one, size, crop, fraction, interpolation) for one in rgb]
    return [torch.tensor(image).permute(2, 0, 1)[None].float() for image in images]
