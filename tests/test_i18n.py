"""The language is the user's first one that we speak; Traditional Chinese of any region is zh_TW."""

import pytest

from app import i18n


@pytest.fixture(autouse=True)
def english_again():
    yield
    i18n.use_language("en", i18n.Path("."))


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        (["zh_TW.UTF-8"], "zh_TW"),
        (["zh-Hant-TW"], "zh_TW"),
        (["zh-Hant-HK", "en-HK"], "zh_TW"),
        (["zh_HK"], "zh_TW"),
        (["zh-Hans-CN", "en-US"], "en"),
        (["zh_CN", "zh_TW"], "zh_TW"),
        (["de-DE", "zh-Hant"], "zh_TW"),
        (["en_US", "zh_TW"], "en"),
        (["C"], "en"),
        ([], "en"),
        ([""], "en"),
    ],
)
def test_match_language(preferred, expected):
    assert i18n.match_language(preferred) == expected


def test_languages_of_macos_are_read_from_its_property_list():
    # Format of `defaults read -g AppleLanguages`.
    assert i18n.parse_apple_languages('(\n    "zh-Hant-TW",\n    "en-TW"\n)\n') == ["zh-Hant-TW", "en-TW"]
    assert i18n.parse_apple_languages("") == []


def test_the_environment_is_asked_in_the_order_of_gettext(monkeypatch):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(i18n.sys, "platform", "linux")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("LC_ALL", "zh_TW.UTF-8")
    assert i18n.system_languages() == ["zh_TW.UTF-8"]


def test_a_language_without_a_catalogue_is_english(tmp_path):
    assert i18n.use_language("zh_TW", tmp_path) == "en"
    assert i18n._("Open a photo…") == "Open a photo…"


def test_a_change_of_language_takes_effect_at_the_next_call(tmp_path):
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    catalogue = Catalog(locale="zh_TW")
    catalogue.add("Stop", "停止")
    folder = tmp_path / "zh_TW" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / "dyno.mo", "wb") as file:
        write_mo(file, catalogue)
    assert i18n.use_language("zh_TW", tmp_path) == "zh_TW"
    assert i18n._("Stop") == "停止"
    assert i18n.use_language("en", tmp_path) == "en"
    assert i18n._("Stop") == "Stop"
