"""How a label of a model is shown to a person.

ImageNet labels list synonyms ("tabby, tabby cat"). English shows the first one; Chinese shows the name that is used in
Taiwan, from resources/labels/imagenet.zh_TW.json. A label that is not one of ImageNet's stays as the model has it.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

from app.paths import resource


def shown_label(label: str, language: str) -> str:
    """Short name of `label` in `language` ("en", "zh_TW"); English where there is no translation. Never empty for one
    of ImageNet's labels, and no two of them look the same."""
    if language == "zh_TW":
        translated = _chinese().get(label)
        if translated:
            return translated
    return _english().get(label, label)


@cache
def _english() -> dict[str, str]:
    """Label -> its first synonym; the whole label where two classes share that one ("cardigan": dog and garment)."""
    rows = json.loads(resource("labels", "imagenet.json").read_text(encoding="utf-8"))
    labels = [label for _synset, label in rows]
    shared = Counter(_first(label).casefold() for label in labels)
    return {label: _first(label) if shared[_first(label).casefold()] == 1 else label for label in labels}


@cache
def _chinese() -> dict[str, str]:
    return json.loads(resource("labels", "imagenet.zh_TW.json").read_text(encoding="utf-8"))


def _first(label: str) -> str:
    return label.split(", ")[0]
