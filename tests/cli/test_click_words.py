"""The sentences that we translate for click are the ones that it says."""

import ast
from pathlib import Path

import click
import pytest

from app.cli.click_words import SENTENCES, counted_sentences


@pytest.fixture(scope="module")
def said_by_click():
    """Every text that click hands to gettext."""
    return {
        argument.value
        for file in Path(click.__file__).parent.glob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("_", "ngettext")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


@pytest.mark.parametrize("sentence", [*SENTENCES, *counted_sentences(1), *counted_sentences(2)])
def test_click_says_it(sentence, said_by_click):
    assert sentence in said_by_click
