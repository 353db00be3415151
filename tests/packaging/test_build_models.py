"""What the built models say of themselves is what the application and Core ML rely on.

The build itself needs torch, which the tests' environment has not; `make models` runs it and compares.
"""

import json
import tomllib
from functools import cache

import numpy as np
import pytest
from coremltools.converters.mil.frontend.milproto.load import load
from coremltools.proto import Model_pb2
from PIL import Image

from app.paths import resources_folder

ROOT = resources_folder().parent
MODELS = resources_folder() / "models"
ROWS = json.loads((MODELS / "catalog.json").read_text(encoding="utf-8"))["models"]
LABELS = [
    label
    for _synset, label in json.loads((resources_folder() / "labels" / "imagenet.json").read_text(encoding="utf-8"))
]
IOS_16 = 7
"""Core ML's specification version of iOS 16 and macOS 13."""

each_model = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])


@cache
def specification(file: str) -> Model_pb2.Model:
    data = MODELS / file / "Data" / "com.apple.CoreML" / "model.mlmodel"
    return Model_pb2.Model.FromString(data.read_bytes())


@cache
def operations(file: str) -> list:
    """The operations of the MIL program, constants left out."""
    weights = MODELS / file / "Data" / "com.apple.CoreML" / "weights"
    program = load(specification(file), specification_version=IOS_16, file_weights_dir=str(weights))
    return [op for op in program.functions["main"].operations if op.op_type != "const"]


@each_model
def test_it_is_a_program_for_macos_13(row):
    spec = specification(row["file"])
    assert spec.WhichOneof("Type") == "mlProgram"
    assert spec.specificationVersion == IOS_16


@each_model
def test_it_takes_one_rgb_image_of_the_networks_size(row):
    (image,) = specification(row["file"]).description.input
    kind = image.type.imageType
    assert (image.name, kind.width, kind.height) == ("image", row["width"], row["height"])
    assert kind.colorSpace == kind.RGB
    assert image.shortDescription


@each_model
def test_it_is_a_classifier_with_the_labels_of_imagenet(row):
    spec = specification(row["file"])
    label, probabilities = spec.description.output
    assert label.name == spec.description.predictedFeatureName == "classLabel"
    assert probabilities.name == spec.description.predictedProbabilitiesName == "classLabel_probs"
    assert probabilities.type.dictionaryType.WhichOneof("KeyType") == "stringKeyType"
    assert label.shortDescription
    assert probabilities.shortDescription
    (classify,) = [op for op in operations(row["file"]) if op.op_type == "classify"]
    assert list(classify.classes.val) == LABELS


@each_model
def test_scaling_is_the_first_and_softmax_the_last_thing_that_it_computes(row):
    first, second, third, *_, softmax, to_fp32, _classify = operations(row["file"])
    assert (first.op_type, first.dtype.val) == ("cast", "fp16")
    assert (second.op_type, float(second.y.val)) == ("sub", 127)
    assert (third.op_type, float(third.y.val)) == ("mul", 1 / 128)
    assert (softmax.op_type, to_fp32.op_type) == ("softmax", "cast")


@each_model
def test_padding_and_batch_norms_are_folded_into_the_convolutions(row):
    kinds = {op.op_type for op in operations(row["file"])}
    assert kinds - {"constexpr_affine_dequantize"} == {
        *("cast", "sub", "mul", "conv", "clip", "add", "reduce_mean", "reshape", "linear", "softmax", "classify"),
    }


@each_model
def test_eight_bits_are_used_where_the_name_says_so(row):
    quantized = [op for op in operations(row["file"]) if op.op_type == "constexpr_affine_dequantize"]
    assert bool(quantized) == (row["weights"] == "int8")
    for op in quantized:
        assert op.quantized_data.val.dtype == np.int8
        assert op.scale.val.shape == (op.quantized_data.val.shape[op.axis.val],)
        assert np.isfinite(op.scale.val).all()


@each_model
def test_it_says_how_a_photo_is_prepared_and_where_it_comes_from(row):
    about = specification(row["file"]).description.metadata
    assert float(about.userDefined["dyno.crop_fraction"]) == row["crop_fraction"]
    assert row["crop_fraction"] == round(row["width"] / (row["width"] + 32), 4)
    assert about.userDefined["dyno.interpolation"] == row["interpolation"] == "bicubic"
    assert about.userDefined["dyno.source"]
    assert about.license == row["licence"] == "Apache-2.0"
    assert about.author
    assert about.shortDescription


@each_model
def test_nothing_of_the_machine_or_the_day_that_it_was_built_on_is_left(row):
    spec = specification(row["file"])
    about = spec.description.metadata.userDefined
    assert "com.github.apple.coremltools.conversion_date" not in about
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert about["com.github.apple.coremltools.source"] in pinned["models"]
    assert b"+cpu" not in spec.SerializeToString()


@pytest.mark.parametrize(("name", "size"), [("lite0", 224), ("lite2", 260)])
class TestReferences:
    """tests/data: PyTorch's answers to the sample photos."""

    def test_the_summary_and_the_numbers_agree(self, name, size):
        summary, numbers = references(name)
        assert summary["input_size"] == [size, size]
        assert [photo["photo"] for photo in summary["photos"]] == list(numbers["photos"])
        assert numbers["probabilities"].shape == (len(summary["photos"]), 1000)
        np.testing.assert_allclose(numbers["probabilities"].sum(axis=1), 1, atol=1e-5)
        for photo, row in zip(summary["photos"], numbers["probabilities"], strict=True):
            best = photo["top"][0]
            assert best["index"] == row.argmax()
            assert best["label"] == LABELS[best["index"]]
            assert best["probability"] == pytest.approx(float(row.max()))

    def test_every_sample_photo_is_there_and_recognised(self, name, size):
        summary, _numbers = references(name)
        samples = json.loads((resources_folder() / "samples" / "samples.json").read_text(encoding="utf-8"))["samples"]
        assert [photo["photo"] for photo in summary["photos"]] == [sample["file"] for sample in samples]
        for photo, sample in zip(summary["photos"], samples, strict=True):
            assert photo["top"][0]["label"] in sample["expected"]

    def test_the_pixels_are_kept_with_the_answers(self, name, size):
        summary, _numbers = references(name)
        for photo in summary["photos"]:
            stem = photo["photo"].removesuffix(".jpg")
            with Image.open(ROOT / "tests" / "data" / f"reference_{name}" / f"{stem}.webp") as picture:
                assert (picture.size, picture.mode) == ((size, size), "RGB")


@cache
def references(name: str) -> tuple:
    folder = ROOT / "tests" / "data"
    return (
        json.loads((folder / f"reference_{name}.json").read_text(encoding="utf-8")),
        np.load(folder / f"reference_{name}.npz"),
    )
