"""The same model is the same bytes, whenever and wherever it is written."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from coremltools.models.utils import load_spec
from coremltools.proto import Model_pb2

ROOT = Path(__file__).resolve().parents[2]

spec = importlib.util.spec_from_file_location("model_package", ROOT / "packaging" / "model_package.py")
assert spec
assert spec.loader
model_package = importlib.util.module_from_spec(spec)
sys.modules["model_package"] = model_package
spec.loader.exec_module(model_package)

DATE = "com.github.apple.coremltools.conversion_date"
SOURCE = "com.github.apple.coremltools.source"


def make_spec(date: str = "2026-01-01", torch: str = "2.13.0+cpu", keys: str = "abcdef") -> Model_pb2.Model:
    """A specification with everything in it that coremltools makes different from time to time."""
    made = Model_pb2.Model(specificationVersion=7)
    about = made.description.metadata.userDefined
    for key in keys:
        about[key] = key
    about[DATE] = date
    about[SOURCE] = f"torch=={torch}"
    info = made.mlProgram.attributes["buildInfo"].immediateValue.dictionary
    for value in ("9.0", torch):
        info.values.add().value.immediateValue.tensor.strings.values.append(value)
    return made


@pytest.fixture
def weights(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "weight.bin").write_bytes(b"weights")
    return folder


def test_date_build_of_torch_and_order_of_maps_leave_no_trace(tmp_path, weights):
    model_package.write_package(make_spec(), weights, tmp_path / "a.mlpackage")
    other = make_spec(date="2027-12-31", torch="2.13.0", keys="fedcba")
    model_package.write_package(other, weights, tmp_path / "b.mlpackage")
    first = model_package.file_digests(tmp_path / "a.mlpackage")
    assert first == model_package.file_digests(tmp_path / "b.mlpackage")
    assert model_package.digest(tmp_path / "a.mlpackage") == model_package.digest(tmp_path / "b.mlpackage")
    assert list(first) == [
        "Data/com.apple.CoreML/model.mlmodel",
        "Data/com.apple.CoreML/weights/weight.bin",
        "Manifest.json",
    ]


def test_versions_without_a_build_are_kept(tmp_path, weights):
    package = tmp_path / "a.mlpackage"
    model_package.write_package(make_spec(), weights, package)
    written = Model_pb2.Model.FromString((package / "Data/com.apple.CoreML/model.mlmodel").read_bytes())
    assert written.description.metadata.userDefined[SOURCE] == "torch==2.13.0"
    assert DATE not in written.description.metadata.userDefined


def test_coremltools_opens_the_package_and_leaves_it_as_it_is(tmp_path, weights):
    package = tmp_path / "a.mlpackage"
    model_package.write_package(make_spec(), weights, package)
    before = (package / "Manifest.json").read_bytes()
    assert load_spec(str(package)).specificationVersion == 7
    assert (package / "Manifest.json").read_bytes() == before


def test_the_manifest_names_each_part_once():
    content = json.loads(model_package.manifest())
    paths = [item["path"] for item in content["itemInfoEntries"].values()]
    assert sorted(paths) == ["com.apple.CoreML/model.mlmodel", "com.apple.CoreML/weights"]
    assert content["itemInfoEntries"][content["rootModelIdentifier"]]["name"] == "model.mlmodel"


def test_an_old_package_is_replaced_whole(tmp_path, weights):
    package = tmp_path / "a.mlpackage"
    package.mkdir()
    (package / "left over").write_text("")
    model_package.write_package(make_spec(), weights, package)
    assert "left over" not in model_package.file_digests(package)


def test_everyone_may_read_what_was_written(tmp_path, weights):
    package = tmp_path / "a.mlpackage"
    model_package.write_package(make_spec(), weights, package)
    modes = {file.stat().st_mode & 0o777 for file in package.rglob("*") if file.is_file()}
    plain = tmp_path / "plain"
    plain.touch()
    assert modes == {plain.stat().st_mode & 0o777}


def test_what_finder_leaves_behind_is_no_part_of_a_package(tmp_path, weights):
    package = tmp_path / "a.mlpackage"
    model_package.write_package(make_spec(), weights, package)
    before = (model_package.digest(package), model_package.size_bytes(package))
    (package / ".DS_Store").write_bytes(b"x")
    assert (model_package.digest(package), model_package.size_bytes(package)) == before


def test_comparing_finds_what_changed_what_is_new_and_what_is_gone(tmp_path):
    built, kept = tmp_path / "built", tmp_path / "kept"
    for folder in (built, kept):
        (folder / "a.mlpackage").mkdir(parents=True)
        (folder / "catalog.json").write_text("same")
        (folder / "a.mlpackage" / "changed").write_text(str(folder))
    (built / "a.mlpackage" / "new").touch()
    (kept / "a.mlpackage" / "gone").touch()
    rows = model_package.compare(built, kept, ["catalog.json", "a.mlpackage", "missing.mlpackage"])
    assert [(row.name, row.equal, row.digest is None) for row in rows] == [
        ("catalog.json", True, False),
        ("a.mlpackage/changed", False, False),
        ("a.mlpackage/gone", False, True),
        ("a.mlpackage/new", False, False),
    ]
