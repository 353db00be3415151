"""A package is looked at from outside: whole, of a kind that we know, and with a digest of what it holds."""

import json
import os
import shutil

import pytest

from app.compiler.reading.package import open_package
from app.errors import ModelMissing, ModelUnreadable, UnsupportedModel

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture
def package(tmp_path, small_package):
    """A copy that a test may damage."""
    return shutil.copytree(small_package, tmp_path / "copy.mlpackage")


def test_a_package_tells_its_files_size_and_digest(package):
    opened = open_package(package)
    assert opened.name == "copy.mlpackage"
    assert {file.name for file in opened.files} == {"Manifest.json", "model.mlmodel", "weight.bin"}
    assert opened.size_bytes == sum(file.stat().st_size for file in package.rglob("*") if file.is_file())
    assert len(opened.digest) == 64


def test_the_digest_is_of_the_content_not_of_the_place(package, tmp_path):
    other = shutil.copytree(package, tmp_path / "elsewhere" / "other.mlpackage")
    assert open_package(other).digest == open_package(package).digest
    weights = next(other.rglob("weight.bin"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert open_package(other).digest != open_package(package).digest


def test_what_finder_leaves_behind_is_no_part_of_it(package):
    before = open_package(package).digest
    (package / ".DS_Store").write_bytes(b"anything")
    assert open_package(package).digest == before


def test_the_digest_is_that_of_the_catalogue():
    # packaging/model_package.py writes it there, app/library compares it
    from app.paths import resource

    catalogue = json.loads(resource("models", "catalog.json").read_text(encoding="utf-8"))
    for model in catalogue["models"]:
        assert open_package(resource("models", model["file"])).digest == model["digest"]


def test_a_model_in_one_file(tmp_path, package):
    single = shutil.copy(next(package.rglob("model.mlmodel")), tmp_path / "single.mlmodel")
    opened = open_package(single)
    assert opened.files == (single,) == (opened.specification,)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mlmodel")
    with pytest.raises(ModelUnreadable, match="neither a file nor a folder"):
        open_package(tmp_path / "pipe.mlmodel")


def test_no_model_there(tmp_path):
    with pytest.raises(ModelMissing):
        open_package(tmp_path / "none.mlpackage")


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (lambda p: (p / "Manifest.json").unlink(), "copied in part"),
        (lambda p: shutil.rmtree(p / "Data"), "copied in part"),
        (lambda p: (p / "Manifest.json").write_text("{"), "Manifest.json is damaged"),
        (lambda p: (p / "Manifest.json").write_text("[]"), "Manifest.json is damaged"),
        (lambda p: (p / "Manifest.json").write_text("[" * 100_000), "Manifest.json is damaged"),
        (lambda p: (p / "Manifest.json").write_bytes(b"\xff\xfe\x00"), "Manifest.json is damaged"),
        (lambda p: (p / "Manifest.json").write_bytes(POINTER), "git-LFS"),
        (lambda p: next(p.rglob("model.mlmodel")).write_bytes(POINTER), "git-LFS"),
        (lambda p: next(p.rglob("weight.bin")).write_bytes(POINTER), "git-LFS"),
    ],
)
def test_a_damaged_package_is_refused_with_its_name_and_cause(package, damage, cause):
    damage(package)
    with pytest.raises(ModelUnreadable, match=cause) as caught:
        open_package(package)
    assert caught.value.fields["model"] == "copy.mlpackage"


def test_a_manifest_that_points_outside_is_refused(package):
    manifest = json.loads((package / "Manifest.json").read_text())
    manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"] = "../../secret"
    (package / "Manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelUnreadable, match="outside"):
        open_package(package)


def test_a_compiled_model_is_refused(tmp_path):
    (tmp_path / "model.mlmodelc").mkdir()
    with pytest.raises(UnsupportedModel, match="already compiled"):
        open_package(tmp_path / "model.mlmodelc")


def test_a_description_longer_than_protobuf_reads_is_refused_unread(package):
    with next(package.rglob("model.mlmodel")).open("r+b") as stream:
        stream.truncate(10 << 30)
    with pytest.raises(ModelUnreadable, match="larger than a Core ML file can be"):
        open_package(package)


def test_a_model_larger_than_the_memory_is_refused_unread(package):
    with next(package.rglob("weight.bin")).open("r+b") as stream:
        stream.truncate(1 << 42)
    with pytest.raises(UnsupportedModel, match="larger than the memory"):
        open_package(package)


def test_a_huge_manifest_is_refused_unread(package):
    with (package / "Manifest.json").open("r+b") as stream:
        stream.truncate(5 << 30)
    with pytest.raises(ModelUnreadable, match=r"Manifest.json is damaged"):
        open_package(package)


def test_a_package_of_very_many_files_is_refused(package, monkeypatch):
    monkeypatch.setattr("app.compiler.reading.package._ENTRIES", 50)
    for number in range(50):
        (package / str(number)).touch()
    with pytest.raises(ModelUnreadable, match="more than 50 files"):
        open_package(package)


def test_folders_a_thousand_deep(package):
    folders = [package / ("d/" * depth) for depth in range(1, 1101)]
    for folder in folders:
        folder.mkdir()
    assert len(open_package(package).files) == 3
    for folder in reversed(folders):  # pytest would do it by recursion
        folder.rmdir()


@pytest.mark.parametrize("link", ["/dev/zero", "/", ".", "itself"])
def test_links_to_what_is_no_file_are_no_part_of_it(package, link):
    before = open_package(package).files
    (package / "Data" / "itself").symlink_to(link)
    assert open_package(package).files == before


def test_a_name_that_is_no_text(package, tmp_path):
    try:
        open(os.fsencode(package) + b"/\xff", "w").close()
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    assert len(open_package(package).files) == 4
    renamed = package.rename(tmp_path / os.fsdecode(b"\xff.mlpackage"))
    with pytest.raises(ModelUnreadable, match="no text in UTF-8"):
        open_package(renamed)


def test_a_name_longer_than_the_system_allows():
    with pytest.raises(ModelUnreadable):
        open_package("/" + "a" * 5000 + ".mlmodel")
