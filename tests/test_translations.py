"""Every sentence of the program is translated, and what is compiled is what is written."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from app import i18n

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("translations", ROOT / "packaging" / "translations.py")
assert spec
assert spec.loader
translations = importlib.util.module_from_spec(spec)
spec.loader.exec_module(translations)


def test_the_catalogues_are_complete_and_compiled() -> None:
    assert translations.check(ROOT / "app", ROOT / "resources" / "locale") == []


SOURCE = """
greeting = _("Hello {name}")
choice = N_("GPU")
counted = ngettext("{n} photo", "{n} photos", n)
"""

Tree = Callable[..., tuple[Path, Path]]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A program with the given translations, compiled."""

    def make(source: str = SOURCE, fuzzy: str = "", **changed: str) -> tuple[Path, Path]:
        sources, locale = tmp_path / "app", tmp_path / "locale"
        sources.mkdir(exist_ok=True)
        (sources / "one.py").write_text(source, encoding="utf-8")
        path = locale / "zh_TW" / "LC_MESSAGES" / "dyno.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = Catalog(locale="zh_TW")
        texts = {"Hello {name}": "哈囉，{name}", "GPU": "GPU", **changed}
        for sentence, text in texts.items():
            catalogue.add(sentence, text, flags=["fuzzy"] if sentence == fuzzy else [])
        catalogue.add(("{n} photo", "{n} photos"), ("{n} 張照片",))
        with path.open("wb") as file:
            write_po(file, catalogue)
        translations.compile_all(locale)
        return sources, locale

    return make


def test_a_complete_catalogue_has_no_fault(tree: Tree) -> None:
    assert translations.check(*tree()) == []


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"GPU": ""}, "zh_TW: not translated: 'GPU'"),
        ({"fuzzy": "GPU"}, "zh_TW: marked as fuzzy: 'GPU'"),
        ({"Hello {name}": "哈囉"}, "zh_TW: has the fields [] instead of ['name']: 'Hello {name}'"),
        ({"Hello {name}": "哈囉，{nom}"}, "zh_TW: has the fields ['nom'] instead of ['name']: 'Hello {name}'"),
        ({"Hello {name}": "哈囉, {name}"}, "zh_TW: half-width punctuation '囉,': 'Hello {name}'"),
        ({"Gone": "走了"}, "zh_TW: not in the program any more: 'Gone'"),
        (
            {"source": SOURCE + 'more = _("More")'},
            "zh_TW: not in the catalogue; run `make translations`: 'More'",
        ),
        ({"source": SOURCE + 'bad = _(f"{x} is bad")'}, "app/one.py:5: a built sentence cannot be translated"),
    ],
)
def test_each_fault_is_named(tree: Tree, arguments: dict[str, str], fault: str) -> None:
    assert fault in translations.check(*tree(**arguments))


def test_a_sentence_is_found_wherever_it_stands_and_nothing_else_is(tree: Tree) -> None:
    sources, _locale = tree(
        """
_(TABLE.get(key or "not this", N_("Starting")))
_(ROWS["nor_this"].label)
_("Long sentences "
  "are joined.")
ngettext("{n} core", "{n} cores", count)
"""
    )
    assert [one.id for one in translations.extract(sources) if one.id] == [
        "Starting",
        "Long sentences are joined.",
        ("{n} core", "{n} cores"),
    ]


def test_a_menus_letter_in_brackets_is_no_fault(tree: Tree) -> None:
    assert translations.check(*tree(SOURCE + 'menu = N_("&File")', **{"&File": "檔案(&F)"})) == []


def test_a_translation_that_was_not_compiled_is_a_fault(tree: Tree) -> None:
    sources, locale = tree()
    path = translations.po_files(locale)[0]
    path.write_text(path.read_text(encoding="utf-8").replace("張照片", "張相片"), encoding="utf-8")
    assert len(translations.check(sources, locale)) == 1
    translations.compile_all(locale)
    assert translations.check(sources, locale) == []
    path.with_suffix(".mo").unlink()
    assert len(translations.check(sources, locale)) == 1


def test_no_catalogue_at_all_is_a_fault(tree: Tree, tmp_path: Path) -> None:
    sources, _locale = tree()
    assert translations.check(sources, tmp_path / "nowhere") == ["zh_TW: no catalogue; run `make translations`"]


def test_every_language_of_the_program_has_a_catalogue() -> None:
    assert {"en", *translations.LANGUAGES} == set(i18n.LANGUAGES)


def test_update_makes_the_catalogue_of_a_new_language(tree: Tree, tmp_path: Path) -> None:
    sources, _locale = tree()
    translations.update(sources, tmp_path / "new")
    assert len(translations.check(sources, tmp_path / "new")) == 4  # three sentences to translate, nothing compiled


def test_update_keeps_translations_adds_new_sentences_and_drops_old_ones(tree: Tree) -> None:
    sources, locale = tree()
    (sources / "one.py").write_text('_("Hello {name}"); _("More {name}")', encoding="utf-8")
    translations.update(sources, locale)
    path = translations.po_files(locale)[0]
    with path.open("rb") as file:
        after = read_po(file, locale="zh_TW")
    assert {one.id: (one.string, one.fuzzy) for one in after if one.id} == {
        "Hello {name}": ("哈囉，{name}", False),
        "More {name}": ("", False),
    }
    assert "photo" not in path.read_text(encoding="utf-8")
    assert 'msgid "More {name}"' in (locale / "dyno.pot").read_text(encoding="utf-8")


def test_update_without_new_sentences_changes_nothing(tree: Tree) -> None:
    sources, locale = tree()
    translations.update(sources, locale)
    before = {path: path.read_bytes() for path in locale.rglob("*.po*")}
    translations.update(sources, locale)
    assert {path: path.read_bytes() for path in locale.rglob("*.po*")} == before
