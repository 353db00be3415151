"""The sample photos: usable as they are, credited, and with labels that a model can give."""

import json
import re

import pytest
from PIL import Image

from app.paths import resource

SAMPLES = json.loads(resource("samples", "samples.json").read_text(encoding="utf-8"))["samples"]
LABELS = {label for _synset, label in json.loads(resource("labels", "imagenet.json").read_text(encoding="utf-8"))}


def test_every_photo_is_listed_and_every_listed_photo_is_there():
    assert len(SAMPLES) >= 8
    assert {sample["file"] for sample in SAMPLES} == {path.name for path in resource("samples").glob("*.jpg")}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["file"])
class TestSample:
    def test_it_is_a_small_srgb_jpeg_without_metadata(self, sample):
        path = resource("samples", sample["file"])
        assert path.stat().st_size < 250_000
        with Image.open(path) as picture:
            picture.load()
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            assert 300 <= min(picture.size) <= max(picture.size) <= 1600
            assert not picture.getexif()
            assert not picture.info.keys() & {"icc_profile", "comment", "xmp"}

    def test_it_is_credited_with_a_free_licence(self, sample):
        credits = resource("samples", "CREDITS.md").read_text(encoding="utf-8")
        row = re.search(rf"^\| {re.escape(sample['file'])} \|.*$", credits, re.MULTILINE)
        assert row
        _, _, title, author, licence, source, _changed, expected, _ = (cell.strip() for cell in row[0].split("|"))
        assert title == sample["title"]
        assert author
        assert source
        assert licence in {"CC0", "public domain"}
        assert expected.split("; ") == sample["expected"]

    def test_it_has_titles_and_labels_that_the_models_know(self, sample):
        assert sample["title"]
        assert sample["title_zh_TW"]
        assert sample["expected"]
        assert set(sample["expected"]) <= LABELS
