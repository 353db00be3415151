"""Text of strangers, made fit to be shown: names in a file may hold whatever bytes their author liked."""

from __future__ import annotations

import unicodedata

_ESCAPED = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode's categories of what moves the cursor, turns the direction of writing, or is no letter at all."""
_JOINERS = "\u200c\u200d"
"""Persian words and composed emoji need them, and they move nothing."""


def visible(text: str, keep: str = "") -> str:
    """The text with control characters written out, "\\x1b" or "\\u202e", so that it cannot paint over a terminal.

    Characters in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(one if one in keep or one in _JOINERS else _written(one) for one in text)


def shortened(text: str, limit: int) -> str:
    """The text, or its two ends with "…" between them when it is longer than `limit`."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def _written(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()
