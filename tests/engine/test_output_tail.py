"""The end of a child's output is kept, however much it was."""

import os

from app.engine.output_tail import OutputTail


def test_the_last_words_are_kept_and_the_rest_is_forgotten():
    reading, writing = os.pipe()
    tail = OutputTail(os.fdopen(reading, "rb"))
    with os.fdopen(writing, "wb") as output:
        output.write(b"x" * 1_000_000 + b"\nlast words \xff\n")
    words = tail.finish()
    assert words.endswith("last words \N{REPLACEMENT CHARACTER}")
    assert len(words) <= 8192


def test_an_output_that_somebody_holds_open_is_not_waited_for():
    reading, writing = os.pipe()
    tail = OutputTail(os.fdopen(reading, "rb"))
    assert tail.finish(timeout_s=0.01) == ""
    os.close(writing)
    assert tail.finish() == ""
