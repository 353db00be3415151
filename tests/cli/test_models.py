"""`dyno models` lists what -m understands."""

import json
from dataclasses import replace

from app.cli.main import run_command_line
from tests.cli.stand_in_rooms import StandInRooms


def test_table(capfd):
    assert run_command_line(["models"], StandInRooms()) == 0
    out = capfd.readouterr().out
    assert "lite0" in out
    assert "224 × 224" in out
    assert "9.40 MB" in out


def test_missing_model_is_marked(capfd):
    rooms = StandInRooms()
    rooms.card = replace(rooms.card, missing=True, width=None)
    assert run_command_line(["models"], rooms) == 0
    assert "missing" in capfd.readouterr().out


def test_json(capfd):
    assert run_command_line(["models", "--json"], StandInRooms()) == 0
    (found,) = json.loads(capfd.readouterr().out)
    assert (found["id"], found["path"], found["size_bytes"]) == ("lite0", "/models/cat.mlpackage", 9_400_000)
