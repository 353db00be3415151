"""Reading what a package says, and refusing what cannot be read in one plain sentence."""

import contextlib
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest
from coremltools.proto import Model_pb2

from app.compiler import compile_model, read_model_facts
from app.compiler.facts import ImageInput, ModelFacts
from app.compiler.ops.registry import TABLE, NotCovered
from app.errors import ModelError, ModelUnreadable, UnsupportedModel, UnsupportedOps

pytestmark = pytest.mark.mlx


@pytest.fixture
def package(tmp_path, small_package):
    return shutil.copytree(small_package, tmp_path / "copy.mlpackage")


def edited(package, change):
    """The package with `change(specification)` done to its description."""
    file = next(package.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    change(specification)
    file.write_bytes(specification.SerializeToString())
    return package


def test_facts(small_package):
    facts = read_model_facts(small_package)
    assert facts.image == ImageInput("image", 12, 10, "RGB")
    assert facts.kind == "mlProgram"
    assert facts.labels == ("ant", "bee", "cat")
    assert (facts.label, facts.probabilities) == ("classLabel", "classLabel_probs")
    assert facts.outputs == ("classLabel", "classLabel_probs")
    assert facts.crop_fraction == 0.875
    assert facts.interpolation == "bilinear"
    assert facts.metadata["description"] == "A small classifier"
    assert ModelFacts.from_json(facts.to_json()) == facts


@pytest.mark.parametrize("text", ["", "wide", "0", "-1", "1.5", "nan"])
def test_a_crop_that_makes_no_sense_is_the_whole_photo(package, text):
    edited(package, lambda s: s.description.metadata.userDefined.update({"dyno.crop_fraction": text}))
    assert read_model_facts(package).crop_fraction == 1.0


def set_version(specification, version):
    specification.specificationVersion = version


def point_past_the_end(specification):
    for function in specification.mlProgram.functions.values():
        for block in function.block_specializations.values():
            for operation in block.operations:
                value = operation.attributes.get("val")
                if value and value.WhichOneof("value") == "blobFileValue":
                    value.blobFileValue.offset = 10**12
                    return
    raise AssertionError("no weights in a file")


def cut(file, share):
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def move_weights(where):
    """Name other files for the weights than those that are there; one value goes to `where`, the others stay."""

    def move(specification):
        for operation in specification.mlProgram.functions["main"].block_specializations["CoreML6"].operations:
            value = operation.attributes.get("val")
            if value and value.WhichOneof("value") == "blobFileValue":
                value.blobFileValue.fileName = where
                return
        raise AssertionError("no weights in a file")

    return move


DAMAGES = {
    "weights outside": (lambda p: edited(p, move_weights("@model_path/../../weight.bin")), "outside the package"),
    "weights at the root": (lambda p: edited(p, move_weights("/etc/weight.bin")), "outside the package"),
    "weights missing": (lambda p: next(p.rglob("weight.bin")).unlink(), "weights are missing"),
    "weights cut in the middle": (lambda p: cut(next(p.rglob("weight.bin")), 0.5), "cut short or damaged"),
    "weights cut in the header": (lambda p: cut(next(p.rglob("weight.bin")), 0.01), "cut short or damaged"),
    "weights empty": (lambda p: next(p.rglob("weight.bin")).write_bytes(b""), "cut short or damaged"),
    "weights of zeros": (lambda p: next(p.rglob("weight.bin")).write_bytes(bytes(5000)), "cut short or damaged"),
    "an offset past the end": (lambda p: edited(p, point_past_the_end), "cut short or damaged"),
    "a newer format": (lambda p: edited(p, lambda s: set_version(s, 99)), "newer than this program knows"),
    "no version": (lambda p: edited(p, lambda s: set_version(s, 0)), "holds no model"),
    "an empty description": (lambda p: next(p.rglob("model.mlmodel")).write_bytes(b""), "holds no model"),
    "protobuf garbage": (lambda p: next(p.rglob("model.mlmodel")).write_bytes(bytes(range(256)) * 40), "damaged"),
    "a description cut short": (lambda p: cut(next(p.rglob("model.mlmodel")), 0.6), "damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_refused_soon_with_its_name_and_cause(package, name):
    damage, cause = DAMAGES[name]
    damage(package)
    start = time.monotonic()
    with pytest.raises(ModelUnreadable, match=cause) as caught:
        compile_model(package)
    assert caught.value.fields["model"] == "copy.mlpackage"
    assert time.monotonic() - start < 5


def test_weights_in_several_folders_are_refused(package):
    with pytest.raises(UnsupportedModel, match="several folders"):
        compile_model(edited(package, move_weights("@model_path/other/weight.bin")))


@pytest.mark.parametrize("seed", range(25))
def test_random_damage_never_gives_anything_but_a_model_error(package, seed):
    rng = np.random.default_rng(seed)
    file = next(package.rglob("model.mlmodel"))
    content = bytearray(file.read_bytes())
    for place in rng.integers(0, len(content), 1 + seed % 4):
        content[place] = rng.integers(0, 256)
    file.write_bytes(content)
    with contextlib.suppress(ModelError):
        compile_model(package)


def test_all_operations_that_cannot_run_are_named_at_once(package):
    def rename(specification):
        block = next(iter(specification.mlProgram.functions["main"].block_specializations.values()))
        for operation in block.operations:
            operation.type = {"relu": "wrinkle", "linear": "blur"}.get(operation.type, operation.type)

    with pytest.raises(UnsupportedOps) as caught:
        compile_model(edited(package, rename))
    assert caught.value.fields["ops"] == ("blur", "wrinkle")


def test_attributes_that_cannot_be_followed_are_named_at_once(small_package, monkeypatch):
    def refuse(kind):
        def lowering(**inputs):
            raise NotCovered(f"{kind} (too odd)")

        monkeypatch.setitem(TABLE, kind, replace(TABLE[kind], function=lowering))

    refuse("relu")
    refuse("softmax")
    with pytest.raises(UnsupportedOps) as caught:
        compile_model(small_package)
    assert caught.value.fields["ops"] == ("relu (too odd)", "softmax (too odd)")


@pytest.mark.parametrize("side", ["width", "height"])
def test_a_description_that_disagrees_with_the_program_is_refused(package, side):
    edited(package, lambda s: setattr(s.description.input[0].type.imageType, side, 64))
    with pytest.raises(UnsupportedModel, match="description"):
        compile_model(package)


def test_a_function_that_is_not_there_is_refused(small_package):
    with pytest.raises(UnsupportedModel, match="function"):
        compile_model(small_package, function="other")


def test_neural_networks_are_told_apart(tmp_path):
    from coremltools.models import datatypes, neural_network

    builder = neural_network.NeuralNetworkBuilder(
        [("image", datatypes.Array(3, 4, 4))], [("out", datatypes.Array(3, 4, 4))], disable_rank5_shape_mapping=True
    )
    builder.add_activation("relu", "RELU", "image", "out")
    builder.set_pre_processing_parameters(image_input_names=["image"], is_bgr=True)
    path = tmp_path / "network.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    facts = read_model_facts(path)
    assert facts.kind == "neuralNetwork"
    assert facts.image.colour == "BGR"
