"""What a stranger wrote is shown, and does nothing."""

import pytest

from app.visible import shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mobilenet v2 – 貓 🐈", "mobilenet v2 – 貓 🐈"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("\u2028\x9b\udcff", "\\u2028\\x9b\\udcff"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("", ""),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown


def test_what_is_kept():
    assert visible("a\nb\x07", keep="\n") == "a\nb\\x07"


def test_long_text_loses_its_middle():
    assert shortened("a" * 10, 10) == "a" * 10
    assert shortened("a" * 5000 + "b" * 5000, 6) == "aaa…bbb"
