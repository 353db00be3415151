"""Labels are short, never ambiguous, and Chinese where that is the language."""

import json

import pytest

from app.library.labels import shown_label
from app.paths import resource

ROWS = json.loads(resource("labels", "imagenet.json").read_text(encoding="utf-8"))
LABELS = [label for _synset, label in ROWS]


def test_there_are_a_thousand_different_labels_in_the_order_of_imagenet():
    assert len(set(LABELS)) == 1000
    assert ROWS[0] == ["n01440764", "tench, Tinca tinca"]
    assert [synset for synset, _label in ROWS] == sorted(synset for synset, _label in ROWS)


def test_english_shows_the_first_synonym():
    assert shown_label("tabby, tabby cat", "en") == "tabby"
    assert shown_label("espresso", "en") == "espresso"


def test_classes_with_the_same_first_synonym_stay_apart():
    assert shown_label("cardigan", "en") == "cardigan"
    assert shown_label("Cardigan, Cardigan Welsh corgi", "en") == "Cardigan, Cardigan Welsh corgi"


@pytest.mark.parametrize("language", ["en", "zh_TW"])
def test_no_two_labels_look_the_same(language):
    shown = [shown_label(label, language).casefold() for label in LABELS]
    assert all(shown)
    assert sorted(text for text in set(shown) if shown.count(text) > 1) == []


@pytest.mark.parametrize("language", ["en", "zh_TW"])
def test_a_label_of_another_model_stays_as_it_is(language):
    assert shown_label("my own class", language) == "my own class"


def test_chinese_has_a_name_for_every_label_and_for_nothing_else():
    translated = json.loads(resource("labels", "imagenet.zh_TW.json").read_text(encoding="utf-8"))
    assert list(translated) == LABELS
    assert shown_label("tabby, tabby cat", "zh_TW") == "虎斑貓"
    assert shown_label("lesser panda, red panda, panda, bear cat, cat bear, Ailurus fulgens", "zh_TW") == "小貓熊"


@pytest.mark.parametrize("simplified", "猫鸡鸟车门马鱼龙电机灯钟锅")
def test_chinese_is_written_as_in_taiwan(simplified):
    assert not [label for label in LABELS if simplified in shown_label(label, "zh_TW")]


def test_an_unknown_language_gets_english():
    assert shown_label("tabby, tabby cat", "de") == "tabby"
