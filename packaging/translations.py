"""Keep the catalogues of translations in step with the sentences in the program.

    python packaging/translations.py update     sentences of app/ -> dyno.pot and every dyno.po
    python packaging/translations.py compile    every dyno.po -> dyno.mo
    python packaging/translations.py check      say what is missing, doubtful or stale; exit status 1 if anything is

Catalogues live in resources/locale/<language>/LC_MESSAGES/. Sentences are what stands in `_("…")`, `N_("…")` and
`ngettext("…", "…", n)`.
"""

from __future__ import annotations

import argparse
import ast
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "dyno"
LANGUAGES = ("zh_TW",)
"""Those of app/i18n.py without English, in which the sentences are written."""

FORMS = {"_": 1, "N_": 1, "ngettext": 2}
"""Functions that take sentences, and how many: singular and plural."""

WIDTH = 110

# Between Chinese words, punctuation is full-width. "(&F)" is the place of a menu's letter and stays as it is.
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff」』）](?:[,;:!?]|\.(?!\w)|\((?!&))|[,;:!?(][\u4e00-\u9fff「『（]")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("update", "compile", "check"))
    what = parser.parse_args().what
    locale = ROOT / "resources" / "locale"
    if what == "update":
        update(ROOT / "app", locale)
    elif what == "compile":
        compile_all(locale)
    else:
        problems = check(ROOT / "app", locale)
        print("\n".join(problems) or "Nothing is missing.")
        return 1 if problems else 0
    return 0


def extract(sources: Path) -> Catalog:
    """Every sentence of the Python files below `sources`, with the files in which it stands."""
    template = _new()
    for path, call in _calls(sources):
        sentence = _sentence(call)
        if sentence is not None:
            # Files without line numbers: a catalogue should not change when code moves.
            template.add(sentence, None, [(path.relative_to(sources.parent).as_posix(), 0)])
    return template


def update(sources: Path, locale: Path) -> None:
    """Bring dyno.pot and every dyno.po up to date. New sentences come untranslated, vanished ones leave."""
    template = extract(sources)
    _write(template, locale / f"{DOMAIN}.pot")
    for path in po_files(locale):
        catalogue = _read(path) if path.exists() else _new(path.parts[-3])
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        _write(catalogue, path)


def compile_all(locale: Path) -> None:
    """Write every dyno.mo anew."""
    for path in po_files(locale):
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, _read(path))


def check(sources: Path, locale: Path) -> list[str]:
    """One line for each thing that is wrong; empty when all is well."""
    template = extract(sources)
    problems = list(_built_sentences(sources))
    for path in po_files(locale):
        name = path.parts[-3]
        if not path.exists():
            problems.append(f"{name}: no catalogue; run `make translations`")
            continue
        catalogue = _read(path)
        for message in template:
            if message.id:
                problems += [f"{name}: {what}: {_first(message)!r}" for what in _faults(message, catalogue)]
        problems += [
            f"{name}: not in the program any more: {_first(one)!r}"
            for one in catalogue
            if one.id and one.id not in template
        ]
        if not _is_compiled(catalogue, path.with_suffix(".mo")):
            problems.append(f"{name}: {DOMAIN}.mo does not hold what {DOMAIN}.po says; run `make translations`")
    return problems


def po_files(locale: Path) -> list[Path]:
    """Where the catalogue of every language is, or should be."""
    return [locale / language / "LC_MESSAGES" / f"{DOMAIN}.po" for language in LANGUAGES]


def fields(text: str) -> set[str]:
    """Names of the {placeholders} in `text`."""
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def _faults(message: Message, catalogue: Catalog) -> Iterator[str]:
    """What is wrong with the translation of one sentence."""
    translated = catalogue.get(message.id, message.context)
    if translated is None:
        yield "not in the catalogue; run `make translations`"
        return
    texts = _forms(translated.string)
    if not all(texts):
        yield "not translated"
        return
    if translated.fuzzy:
        yield "marked as fuzzy"
    wanted = fields(_forms(message.id)[-1])
    for text in texts:
        if fields(text) != wanted:
            yield f"has the fields {sorted(fields(text))} instead of {sorted(wanted)}"
        if (catalogue.locale_identifier or "").startswith("zh") and (found := _HALF_WIDTH.search(text)):
            yield f"half-width punctuation {found.group()!r}"


def _is_compiled(catalogue: Catalog, mo: Path) -> bool:
    """The .mo says the same as the catalogue."""
    if not mo.exists():
        return False
    with mo.open("rb") as file:
        compiled = read_mo(file)
    return _spoken(compiled) == _spoken(catalogue)


def _spoken(catalogue: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Sentence -> translation, of all that a program would get to see. Both with their plural forms."""
    return {
        _forms(one.id): _forms(one.string) for one in catalogue if one.id and any(_forms(one.string)) and not one.fuzzy
    }


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (text or "",)


def _calls(sources: Path) -> Iterator[tuple[Path, ast.Call]]:
    """Every call that marks or translates a sentence, in the order of the files and of their lines."""
    for path in sorted(sources.rglob("*.py")):
        found = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORMS
        ]
        yield from ((path, call) for call in sorted(found, key=lambda call: (call.lineno, call.col_offset)))


def _sentence(call: ast.Call) -> str | tuple[str, ...] | None:
    """What a call says literally; None where it translates a sentence that is marked elsewhere."""
    assert isinstance(call.func, ast.Name)
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    forms = FORMS[call.func.id]
    if len(texts) < forms:
        return None
    return texts[0] if forms == 1 else tuple(texts[:forms])


def _built_sentences(sources: Path) -> Iterator[str]:
    """Sentences that are put together before they are translated, so that no catalogue can hold them."""
    for path, call in _calls(sources):
        if any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in call.args[:2]):
            yield f"{path.relative_to(sources.parent)}:{call.lineno}: a built sentence cannot be translated"


def _first(message: Message) -> str:
    return _forms(message.id)[0]


def _new(locale: str | None = None) -> Catalog:
    """An empty catalogue. Its header is dull on purpose: who wrote what is in the history of the repository."""
    return Catalog(
        locale=locale,
        domain=DOMAIN,
        project="Silicon Dyno",
        version="catalogue",
        header_comment="# Sentences of Silicon Dyno. Collected by packaging/translations.py, translated by hand.",
        msgid_bugs_address="none",
        last_translator="none",
        language_team="none",
        charset="utf-8",
        fuzzy=False,
    )


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3] if path.suffix == ".po" else None, domain=DOMAIN)


def _write(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue. The date in its header stays, so that it changes only when a sentence does."""
    if path.exists():
        catalogue.creation_date = _read(path).creation_date
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


if __name__ == "__main__":
    sys.exit(main())
