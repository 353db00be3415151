"""What PyTorch answers to the sample photos with the original weights: the truth that the tests compare engines with.

For each network, below tests/data:

    reference_lite0.json    versions, preprocessing, and of each photo the five most probable labels
    reference_lite0.npz     photos: names (N); probabilities: float32 (N, 1000), in the order of the labels
    reference_lite0/*.webp  each photo as the network saw it, losslessly: RGB, 224 × 224

The pixels are kept so that a comparison depends on neither the JPEG decoder nor the resampling of another machine.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import efficientnet_lite
import numpy as np
import torch
from efficientnet_lite import Variant
from PIL import Image
from samples import Sample, read_samples

from app.imaging.crop import Crop, prepare

TOP = 5


def write_references(variant: Variant, folder: Path) -> None:
    """Write the three parts for one network, replacing them."""
    name = f"reference_{variant.name.removeprefix('efficientnet-')}"
    samples = read_samples()
    images_hwc = [prepared(sample, variant) for sample in samples]
    probabilities = answers(variant, np.stack(images_hwc))
    pictures = folder / name
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    for sample, image_hwc in zip(samples, images_hwc, strict=True):
        Image.fromarray(image_hwc).save(pictures / f"{sample.path.stem}.webp", lossless=True, quality=100, method=4)
    np.savez_compressed(
        folder / f"{name}.npz",
        photos=np.array([sample.path.name for sample in samples]),
        probabilities=probabilities,
    )
    text = json.dumps(summary(variant, samples, probabilities), indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def prepared(sample: Sample, variant: Variant) -> np.ndarray:
    """The photo as the application gives it to the network: uint8 size × size × 3."""
    rgb_hwc = np.asarray(Image.open(sample.path).convert("RGB"))
    size = (variant.size, variant.size)
    return prepare(rgb_hwc, size, Crop.CENTRE, variant.crop_fraction, efficientnet_lite.INTERPOLATION)


def answers(variant: Variant, images_nhwc: np.ndarray) -> np.ndarray:
    """Probabilities, float32 N × 1000, one photo at a time: batches change the last bits."""
    classifier = efficientnet_lite.Classifier(efficientnet_lite.load_network(variant)).eval()
    with torch.inference_mode():
        rows = [classifier(torch.tensor(image).permute(2, 0, 1)[None].float())[0] for image in images_nhwc]
    return torch.stack(rows).numpy()


def summary(variant: Variant, samples: list[Sample], probabilities: np.ndarray) -> dict[str, object]:
    """The readable part."""
    labels = efficientnet_lite.labels()
    photos = []
    for sample, row in zip(samples, probabilities, strict=True):
        best = np.argsort(-row, kind="stable")[:TOP]
        top = [{"index": int(i), "label": labels[i], "probability": float(row[i])} for i in best]
        photos.append({"photo": sample.path.name, "expected": list(sample.expected), "top": top})
    return {
        "network": variant.name,
        "torch": torch.__version__.partition("+")[0],
        "input_size": [variant.size, variant.size],
        "crop_fraction": variant.crop_fraction,
        "interpolation": efficientnet_lite.INTERPOLATION,
        "photos": photos,
    }
