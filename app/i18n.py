"""Translation of everything a person reads.

`_("…")` and `ngettext("…", "…", n)` look a sentence up at the moment of the call, so that a change of language takes
effect without a restart. Catalogues live in `resources/locale/<language>/LC_MESSAGES/dyno.mo`.
"""

from __future__ import annotations

import gettext
import locale
import os
import subprocess
import sys
from pathlib import Path

DOMAIN = "dyno"
LANGUAGES = {"en": "English", "zh_TW": "繁體中文"}
"""Language code -> its own name, as Settings shows it."""

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def _(message: str) -> str:
    """The sentence in the current language, or itself."""
    return _catalogue.gettext(message)


def N_(message: str) -> str:
    """The sentence unchanged; marks it for the catalogue where it is translated later."""
    return message


def ngettext(singular: str, plural: str, n: int) -> str:
    """The sentence for `n` things in the current language."""
    return _catalogue.ngettext(singular, plural, n)


def language() -> str:
    """Code of the current language, one of `LANGUAGES`."""
    return _language


def use_language(code: str, folder: Path) -> str:
    """Switch to `code` ("system" asks the platform); returns the language that is now in use.

    `folder` is the folder of catalogues. A language without a catalogue falls back to English, which needs none.
    """
    global _catalogue, _language
    wanted = match_language(system_languages()) if code == "system" else code
    if wanted != "en" and gettext.find(DOMAIN, folder, [wanted]):
        _catalogue, _language = gettext.translation(DOMAIN, folder, [wanted]), wanted
    else:
        _catalogue, _language = gettext.NullTranslations(), "en"
    return _language


def match_language(preferred: list[str]) -> str:
    """The first of `preferred` (BCP 47 or POSIX codes) that we speak, else English.

    Traditional Chinese of any region (zh-Hant, zh-TW, zh-HK, zh-MO) gets zh_TW; Simplified Chinese does not.
    """
    for code in preferred:
        plain = code.split(".")[0].split("@")[0].replace("-", "_")
        if plain.startswith("zh") and any(part in plain for part in ("Hant", "TW", "HK", "MO")):
            return "zh_TW"
        if plain.split("_")[0] == "en" or plain in ("C", "POSIX"):
            return "en"
    return "en"


def system_languages() -> list[str]:
    """The user's languages, most wanted first."""
    if sys.platform == "darwin":
        # A program started from Finder has no LANG; the order of languages is a user default.
        done = subprocess.run(
            ["/usr/bin/defaults", "read", "-g", "AppleLanguages"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
        found = parse_apple_languages(done.stdout)
        if found:
            return found
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name].split(":")
    code = locale.getlocale()[0]
    return [code] if code else []


def parse_apple_languages(text: str) -> list[str]:
    """Codes from the old-style property list that `defaults read -g AppleLanguages` prints."""
    return [line.strip(' ",') for line in text.splitlines() if line.strip(' ",()')]
