"""Every note that decoding can leave has a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import app.imaging
from app.imaging.notes import NOTES, note_text


def test_each_note_has_a_sentence():
    assert all(note_text(note) for note in NOTES)


def test_the_rooms_files_use_no_other_notes():
    folder = Path(app.imaging.__file__).parent
    source = "".join((folder / name).read_text("utf-8") for name in ("decode.py", "colour.py"))
    used = {note for note in re.findall(r'"([a-z0-9-]+)"', source) if note in NOTES}
    assert used == NOTES
