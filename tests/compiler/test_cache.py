"""The cache gives back what was put in, or says why not; it is never the end of a start."""

import json

import pytest

from app.compiler import cache
from app.compiler.cache import Key, Page
from app.compiler.facts import Feature, ModelFacts

KEY = Key(digest="ab" * 32, function="", precision="fp32", device="cpu")
FACTS = ModelFacts(
    name="m.mlpackage",
    digest="ab" * 32,
    kind="mlProgram",
    specification=7,
    inputs=(
        Feature("image", "image", (1, 5, 4, 3), "uint8", "RGB", allowed=(((1, 1), (5, 9), (4, None), (3, 3)),)),
        Feature("x", "multiArray", (1, 2), "fp16", optional=True, default=0.5),
    ),
    output_features=(Feature("scores", "multiArray", (1, 3), "fp32"),),
    functions=("main",),
    left_out=("nms (nonMaximumSuppression)",),
    probabilities=None,
    label=None,
    labels=(3, 1),
    size_bytes=10,
    crop_fraction=1.0,
    interpolation="bilinear",
    metadata={"author": "某人"},
)
PAGE = Page(FACTS, outputs=(("scores", (1, 3), "fp32"),))


@pytest.fixture
def stored(tmp_path):
    """The function file of an entry that was just made."""
    exported = tmp_path / "exported.tmp"
    exported.write_bytes(b"function" * 1000)
    return cache.store(tmp_path, KEY, 1, PAGE, exported)


def test_what_was_stored_comes_back(tmp_path, stored):
    page, file, note = cache.load(tmp_path, KEY, 1)
    assert page == PAGE
    assert file == stored
    assert file.read_bytes() == b"function" * 1000
    assert note is None


def test_nothing_else_stays_behind(tmp_path, stored):
    assert sorted(f.suffix for f in tmp_path.iterdir()) == [".json", ".mlxfn"]


@pytest.mark.parametrize(
    ("key", "batch"),
    [
        (KEY, 2),
        (Key("cd" * 32, "", "fp32", "cpu"), 1),
        (Key("ab" * 32, "other", "fp32", "cpu"), 1),
        (Key("ab" * 32, "", "fp16", "cpu"), 1),
        (Key("ab" * 32, "", "fp32", "gpu"), 1),
        (Key("ab" * 32, "", "fp32", "cpu", (("image", (1, 6, 4, 3)),)), 1),
    ],
)
def test_another_model_or_way_to_run_it_is_another_entry(tmp_path, stored, key, batch):
    assert cache.load(tmp_path, key, batch) == (None, None, None)


def test_another_version_is_another_entry_and_takes_the_place_of_the_old_one(tmp_path, stored, monkeypatch):
    monkeypatch.setattr(cache, "_versions", lambda: ["newer"])
    assert cache.load(tmp_path, KEY, 1) == (None, None, None)
    exported = tmp_path / "exported.tmp"
    exported.write_bytes(b"new")
    cache.store(tmp_path, KEY, 1, PAGE, exported)
    assert not stored.exists()
    assert len(list(tmp_path.iterdir())) == 2


def test_no_folder_is_an_empty_cache(tmp_path):
    assert cache.load(tmp_path / "none", KEY, 1) == (None, None, None)


def page_file(folder):
    return next(folder.glob("*.json"))


def without(field):
    """A page that lacks a field although its checksum is right."""

    def change(folder):
        plain = json.loads(page_file(folder).read_text())["page"]
        del plain[field]
        page_file(folder).write_text(json.dumps(cache._sealed(plain)))

    return change


def replaced(old, new):
    def change(folder):
        text = page_file(folder).read_text()
        assert text.count(old) == 1
        page_file(folder).write_text(text.replace(old, new))

    return change


def function_file(folder):
    return next(folder.glob("*.mlxfn"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: function_file(folder).write_bytes(b"function" * 999),
        lambda folder: function_file(folder).write_bytes(b"Function" + b"function" * 999),
        lambda folder: function_file(folder).write_bytes(b""),
        lambda folder: page_file(folder).write_bytes(b""),
        lambda folder: page_file(folder).write_text("{"),
        lambda folder: page_file(folder).write_text("[]"),
        lambda folder: page_file(folder).write_bytes(b"\xff\xff"),
        without("facts"),
        without("file"),
        without("outputs"),
        replaced('"label": null', '"label": "scores"'),
        replaced('"labels": [3, 1]', '"labels": [3, 2]'),
        replaced('"interpolation": "bilinear"', '"interpolation": "bicubic"'),
        replaced('"optional": true', '"optional": false'),
        replaced('["scores", [1, 3], "fp32"]', '["scores", [1, 4], "fp32"]'),
        replaced('"sha256": "', '"sha256": "0'),
    ],
)
def test_a_damaged_entry_is_none_and_says_so(tmp_path, stored, damage):
    damage(tmp_path)
    page, file, note = cache.load(tmp_path, KEY, 1)
    assert (page, file) == (None, None)
    assert "damaged" in note


def test_a_page_whose_function_is_gone_is_no_entry(tmp_path, stored):
    stored.unlink()
    assert cache.load(tmp_path, KEY, 1) == (None, None, None)
