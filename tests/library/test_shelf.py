"""The library keeps what was imported, under names of its own, and gives back what was removed."""

import json
import os
import time

import pytest

from app.errors import ModelAmbiguous, ModelMissing, NameTaken, StorageError
from app.library import shelf
from app.library.card import Obstacle


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def put(name, digest="a" * 64, **changed):
    arriving = shelf.arriving_folder()
    (arriving / "Model.mlmodel").write_bytes(b"model")
    page = {
        "name": name,
        "file": "Model.mlmodel",
        "added": float(len(shelf.cards())),
        "source": "/somewhere/Model.mlmodel",
        "digest": digest,
        "kind": "neuralNetwork",
        "colour": "GRAYSCALE",
        "width": 28,
        "height": 20,
        "size_bytes": 5,
        "weights": "float32",
        "crop_fraction": 1.0,
        "interpolation": "bilinear",
    }
    return shelf.put(arriving, shelf.Page(**{**page, **changed}))


def names():
    return [card.name for card in shelf.cards()]


def test_an_empty_library():
    assert shelf.cards() == []
    assert shelf.removed_cards() == []


def test_what_is_put_in_is_listed_with_all_that_is_known():
    obstacle = Obstacle("mlx", "UnsupportedOps", {"model": "Model.mlmodel", "ops": ("gru",)})
    put("Digits", obstacles=(obstacle,))
    (card,) = shelf.cards()
    assert (card.id, card.kind, card.colour, card.width, card.height) == (
        "Digits",
        "neuralNetwork",
        "GRAYSCALE",
        28,
        20,
    )
    assert (card.built_in, card.linked, card.missing) == (False, False, False)
    assert card.path.read_bytes() == b"model"
    assert "gru" in str(card.obstacles[0].reason)


def test_models_stand_in_the_order_of_importing():
    put("Zebra", "1" * 64)
    put("Ant", "2" * 64)
    assert names() == ["Zebra", "Ant"]


def test_a_name_that_is_taken_gets_a_number():
    put("Digits")
    assert shelf.free_name("digits") == "digits 2"
    assert shelf.free_name("Letters") == "Letters"


def test_a_model_does_not_take_the_name_of_a_built_in_one():
    assert shelf.free_name("EfficientNet-Lite0-fp16") == "EfficientNet-Lite0-fp16 2"


def test_renaming_keeps_the_file_and_the_rest():
    card = put("Digits")
    renamed = shelf.rename(card, "  My   numbers ")
    assert (renamed.name, renamed.path, renamed.width) == ("My numbers", card.path, 28)
    assert names() == ["My numbers"]


@pytest.mark.parametrize(
    "name", ["", "   ", "LETTERS", "a/b", "x.mlmodel", "efficientnet-lite0-fp16", "EfficientNet-Lite2 · fp16"]
)
def test_names_that_cannot_be(name):
    put("Letters", "1" * 64)
    with pytest.raises(NameTaken):
        shelf.rename(put("Digits", "2" * 64), name)
    assert names() == ["Letters", "Digits"]


def test_a_name_may_change_its_capitals():
    assert shelf.rename(put("Digits"), "digits").name == "digits"


def test_removing_and_bringing_back():
    card = put("Digits")
    shelf.remove(card)
    assert names() == []
    assert [one.name for one in shelf.removed_cards()] == ["Digits"]
    assert shelf.restore(card) == card
    assert card.path.read_bytes() == b"model"
    assert shelf.removed_cards() == []


def test_bringing_back_twice_changes_nothing():
    card = put("Digits")
    shelf.remove(card)
    shelf.restore(card)
    assert shelf.restore(card) == card


def test_what_comes_back_gets_out_of_the_way_of_a_new_model_of_its_name():
    card = put("Digits", "1" * 64)
    shelf.remove(card)
    put("Digits", "2" * 64)
    assert shelf.restore(card).name == "Digits 2"


def test_what_was_removed_long_ago_is_gone(data, monkeypatch):
    old, new = put("Old", "1" * 64), put("New", "2" * 64)
    shelf.remove(old)
    in_two_weeks = time.time() + 14 * 24 * 3600
    monkeypatch.setattr(shelf.time, "time", lambda: in_two_weeks)
    shelf.remove(new)
    assert [card.name for card in shelf.removed_cards()] == ["New"]
    with pytest.raises(ModelMissing):
        shelf.restore(old)


def test_removed_models_are_found_by_their_beginning():
    for place, name in enumerate(["Cat", "Catfish", "Dog"]):
        shelf.remove(put(name, str(place) * 64))
    assert shelf.find_removed("cat").name == "Cat"
    assert shelf.find_removed("do").name == "Dog"
    with pytest.raises(ModelAmbiguous):
        shelf.find_removed("ca")
    with pytest.raises(ModelMissing):
        shelf.find_removed("bird")


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": 3}', json.dumps({"name": "x"}).encode()])
def test_a_damaged_page_hides_its_model_and_nothing_else(content):
    put("Whole", "1" * 64)
    broken = put("Broken", "2" * 64)
    (broken.path.parent / "page.json").write_bytes(content)
    assert names() == ["Whole"]
    assert broken.path.exists()


def test_a_model_whose_file_is_gone_is_marked():
    put("Digits").path.unlink()
    assert [card.missing for card in shelf.cards()] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_library_that_cannot_be_written_is_said(data):
    data.mkdir()
    data.chmod(0o500)
    with pytest.raises(StorageError):
        shelf.arriving_folder()


def test_a_library_in_place_of_which_a_file_lies_is_said(data):
    data.mkdir()
    (data / "library").write_text("in the way")
    with pytest.raises(StorageError):
        shelf.arriving_folder()
    assert shelf.cards() == []
