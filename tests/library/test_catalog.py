"""The model list: what comes with the program, what a person added, and how a model is named."""

import json
from pathlib import Path

import pytest

from app import errors
from app.compiler.reading.package import open_package
from app.library import built_in as built_in_room
from app.library import catalog
from app.paths import resource


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch):
    """Each test has a folder of user data to itself."""
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def make_package(path: Path) -> Path:
    """A folder that looks like a Core ML package from outside, 120 bytes of content."""
    weights = path / "Data" / "com.apple.CoreML" / "weights"
    weights.mkdir(parents=True)
    (path / "Manifest.json").write_bytes(b"x" * 20)
    (weights / "weight.bin").write_bytes(b"x" * 100)
    return path


def built_in(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "catalog.json").write_text(text)
    monkeypatch.setattr(built_in_room, "resource", lambda *parts: folder.joinpath(*parts))


def test_the_built_in_models_are_there_and_as_the_catalogue_says():
    rows = {row["id"]: row for row in json.loads(resource("models", "catalog.json").read_text())["models"]}
    cards = catalog.models()
    assert [card.id for card in cards] == [
        "efficientnet-lite0-fp16",
        "efficientnet-lite0-int8",
        "efficientnet-lite2-fp16",
    ]
    for card in cards:
        package = open_package(card.path)
        assert card.built_in
        assert not card.missing
        assert package.size_bytes == card.size_bytes
        assert package.digest == rows[card.id]["digest"]


def test_all_models_together_are_small_enough_for_a_repository():
    assert sum(file.stat().st_size for file in resource("models").rglob("*") if file.is_file()) < 35_000_000


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("efficientnet-lite0-int8", "efficientnet-lite0-int8"),
        ("lite2", "efficientnet-lite2-fp16"),
        ("INT8", "efficientnet-lite0-int8"),
        ("EfficientNet-Lite0 · f", "efficientnet-lite0-fp16"),
    ],
)
def test_a_part_that_fits_one_model_finds_it(asked, found):
    assert catalog.find_model(asked).id == found


def test_a_part_that_fits_several_names_them_and_guesses_nothing():
    with pytest.raises(errors.ModelAmbiguous) as raised:
        catalog.find_model("lite0")
    assert raised.value.fields["matches"] == ("efficientnet-lite0-fp16", "efficientnet-lite0-int8")


@pytest.mark.parametrize("asked", ["resnet", ""])
def test_an_unknown_name_lists_the_known_ones(asked):
    with pytest.raises(errors.ModelMissing) as raised:
        catalog.find_model(asked)
    assert "efficientnet-lite0-fp16" in raised.value.fields["known"]


def test_the_beginning_of_a_name_goes_before_its_middle(tmp_path):
    catalog.remember_model(make_package(tmp_path / "net.mlpackage"))
    catalog.remember_model(make_package(tmp_path / "my-net.mlpackage"))
    assert catalog.find_model("net").name == "net"


def test_folder_names_above_an_added_model_are_no_part_of_its_name(tmp_path):
    folder = tmp_path / "lite2"
    folder.mkdir()
    catalog.remember_model(make_package(folder / "mine.mlpackage"))
    assert catalog.find_model("lite2").built_in


def test_a_path_gives_what_can_be_known_without_reading_the_model(tmp_path):
    path = make_package(tmp_path / "mine.mlpackage")
    card = catalog.find_model(str(path))
    assert (card.id, card.name, card.path, card.size_bytes) == (str(path), "mine", path, 120)
    assert (card.width, card.height, card.weights, card.built_in) == (None, None, "", False)


def test_paths_are_understood_as_people_write_them(tmp_path, monkeypatch):
    path = make_package(tmp_path / "mine.mlpackage")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for written in (f"{path}/", "mine.mlpackage", "./mine.mlpackage/", "~/mine.mlpackage", "mine.mlpackage/Data"):
        assert catalog.find_model(written).path == path


def test_the_path_of_a_built_in_model_is_that_model():
    card = catalog.find_model("lite2")
    assert catalog.find_model(str(card.path)) == card


def test_a_path_without_a_file_is_missing(tmp_path):
    with pytest.raises(errors.ModelMissing, match=r"nothing\.mlpackage"):
        catalog.find_model(str(tmp_path / "nothing.mlpackage"))


def test_a_path_below_a_file_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.ModelMissing):
        catalog.find_model(str(tmp_path / "file" / "x.mlmodel"))


def test_a_package_that_is_no_whole_package_is_unreadable(tmp_path):
    file = tmp_path / "file.mlpackage"
    file.write_text("x")
    empty = tmp_path / "empty.mlpackage"
    empty.mkdir()
    half = make_package(tmp_path / "half.mlpackage")
    (half / "Manifest.json").unlink()
    for path in (file, empty, half):
        with pytest.raises(errors.ModelUnreadable, match=path.name):
            catalog.find_model(str(path))


def test_a_model_file_must_be_a_file_with_content(tmp_path):
    folder = tmp_path / "folder.mlmodel"
    folder.mkdir()
    empty = tmp_path / "empty.mlmodel"
    empty.touch()
    for path in (folder, empty):
        with pytest.raises(errors.ModelUnreadable, match=path.name):
            catalog.find_model(str(path))
    (tmp_path / "good.mlmodel").write_bytes(b"12345")
    assert catalog.find_model(str(tmp_path / "good.mlmodel")).size_bytes == 5


def test_another_kind_of_file_is_refused_by_name(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(errors.UnsupportedModel, match=r"photo\.jpg"):
        catalog.find_model(str(tmp_path / "photo.jpg"))


def test_an_added_model_is_listed_after_the_built_in_ones_until_it_is_removed(tmp_path):
    path = make_package(tmp_path / "mine.mlpackage")
    card = catalog.remember_model(path)
    catalog.remember_model(path)
    assert catalog.models()[3:] == [card]
    catalog.forget_model(card)
    assert len(catalog.models()) == 3
    assert path.exists()


def test_adding_a_built_in_model_adds_nothing():
    card = catalog.models()[0]
    assert catalog.remember_model(card.path) == card
    assert len(catalog.models()) == 3


def test_a_file_that_is_no_model_is_not_added(tmp_path):
    with pytest.raises(errors.ModelMissing):
        catalog.remember_model(tmp_path / "nothing.mlpackage")
    assert len(catalog.models()) == 3


def test_an_added_model_whose_file_is_gone_stays_listed_as_missing(tmp_path):
    path = make_package(tmp_path / "mine.mlpackage")
    card = catalog.remember_model(path)
    away = path.rename(tmp_path / "away")
    assert [(one.id, one.missing) for one in catalog.models()[3:]] == [(card.id, True)]
    with pytest.raises(errors.ModelMissing):
        catalog.find_model("mine")
    away.rename(path)
    assert catalog.models()[3:] == [card]


def test_a_built_in_model_without_its_file_is_listed_as_missing(tmp_path, monkeypatch):
    text = resource("models", "catalog.json").read_text()
    built_in(tmp_path / "resources", monkeypatch, text)
    assert all(card.missing for card in catalog.models())
    with pytest.raises(errors.ModelMissing):
        catalog.find_model("efficientnet-lite0-fp16")


@pytest.mark.parametrize("text", ["", "[]", '{"models": [{"id": "x"}]}'])
def test_a_damaged_catalogue_is_a_defect_of_ours(tmp_path, monkeypatch, text):
    built_in(tmp_path / "resources", monkeypatch, text)
    with pytest.raises(errors.InternalError, match=r"catalog\.json"):
        catalog.models()


def test_a_package_of_very_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("app.compiler.reading.package._ENTRIES", 50)
    package = make_package(tmp_path / "many.mlpackage")
    for number in range(50):
        (package / str(number)).touch()
    with pytest.raises(errors.ModelUnreadable, match="more than 50 files"):
        catalog.find_model(str(package))
    with pytest.raises(errors.ModelUnreadable, match="no text in UTF-8"):
        catalog.find_model(str(tmp_path / "\udcff.mlpackage"))
