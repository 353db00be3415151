"""`dyno models` lists what -m understands."""

import json
from dataclasses import replace

from app.cli.main import run_command_line
from app.library.card import Obstacle
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


def test_a_model_without_an_image_input_says_so(capfd):
    rooms = StandInRooms()
    fields = {"model": "cat", "inputs": ["x"]}
    both = tuple(Obstacle(runtime, "ModelHasNoImageInput", fields) for runtime in ("mlx", "coreml"))
    rooms.card = replace(rooms.card, kind="mlProgram", obstacles=both)
    assert run_command_line(["models"], rooms) == 0
    assert "takes no photo" in capfd.readouterr().out
