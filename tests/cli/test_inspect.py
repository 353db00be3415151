"""`dyno inspect` says what a file holds."""

import json
from dataclasses import replace

import pytest

from app.cli.main import FAILED, USED_WRONGLY, run_command_line
from app.compiler.facts import Feature, ModelFacts
from app.compiler.inspection.report import Inspection, Obstacle, OperationCount, StoredWeights
from tests.cli.stand_in_rooms import StandInRooms

FACTS = ModelFacts(
    name="cat.mlpackage",
    digest="0" * 64,
    kind="mlProgram",
    specification=7,
    inputs=(
        Feature("image", "image", (1, 200, 224, 3), "uint8", "RGB"),
        Feature("mask", "multiArray", (1, 5), "fp16", optional=True, allowed=(((1, 1), (1, 9)),)),
    ),
    output_features=(Feature("scores", "dictionary", (), "str"),),
    functions=("deep", "main"),
    left_out=(),
    probabilities="scores",
    label="label",
    labels=("tench", "goldfish", "shark", "hen"),
    size_bytes=9_400_000,
    crop_fraction=1.0,
    interpolation="bilinear",
    metadata={},
)
FOUND = Inspection(
    facts=FACTS,
    function="main",
    operations=(OperationCount("conv", 49, True), OperationCount("gru", 1, False)),
    unsupported=("gru",),
    weights=(StoredWeights("palettized 4 bit", 3, 1000, 600),),
    parameters=1000,
    multiply_adds=123_456,
    obstacle=Obstacle("UnsupportedOps", {"ops": ("gru",)}, "“cat” uses gru, which MLX cannot run yet."),
)


class Rooms(StandInRooms):
    def inspect(self, path, function):
        self.asked = (path, function)
        return FOUND


@pytest.fixture
def out(capfd):
    assert run_command_line(["inspect", "lite0"], Rooms()) == 0
    return capfd.readouterr().out


@pytest.mark.parametrize(
    "said",
    [
        "ML Program, specification 7",
        "image (RGB image, 224 × 200)",
        "mask (fp16, 1 × 5, flexible: 1 × 1…9, optional)",
        "4: tench, goldfish, shark, …",
        "palettized 4 bit: 1,000",
        "123,456",
        "deep, main",
        "which MLX cannot run yet",
    ],
)
def test_what_is_said(out, said):
    assert said in out


def test_control_characters_of_a_file_do_nothing_in_the_terminal(capfd):
    evil = "x\x1b[31m\n\u202e"
    facts = replace(
        FACTS, name=evil, labels=(evil,), functions=(evil, "a"), inputs=(Feature(evil, "multiArray", (1,), "fp32"),)
    )
    found = replace(FOUND, facts=facts, operations=(OperationCount(evil, 1, True),))

    class Hostile(StandInRooms):
        def inspect(self, path, function):
            return found

    assert run_command_line(["inspect", "lite0"], Hostile()) == 0
    out = capfd.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert out.count("x\\x1b[31m\\n\\u202e") == 5


def test_operations_that_mlx_lacks_are_marked(out):
    rows = {line.split()[0]: line.split()[-1] for line in out.splitlines() if line.startswith((" conv", " gru"))}
    assert rows == {"conv": "yes", "gru": "no"}


def test_json(capfd):
    assert run_command_line(["inspect", "lite0", "--json"], Rooms()) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["operations"][1] == {"kind": "gru", "count": 1, "supported": False}
    assert found["facts"]["labels"] == ["tench", "goldfish", "shark", "hen"]


def test_the_function_that_was_asked_for():
    rooms = Rooms()
    assert run_command_line(["inspect", "lite0", "--function", "deep"], rooms) == 0
    assert rooms.asked == (rooms.card.path, "deep")


def test_a_file_that_cannot_be_read_in_whole_is_no_success(capfd):
    class Damaged(Rooms):
        def inspect(self, path, function):
            obstacle = Obstacle("ModelUnreadable", {"cause": "its weights are cut"}, "its weights are cut")
            return replace(FOUND, obstacle=obstacle)

    assert run_command_line(["inspect", "lite0"], Damaged()) == FAILED
    assert "its weights are cut" in capfd.readouterr().out


def test_a_wrong_name_is_told_of_the_argument(capfd):
    assert run_command_line(["inspect", "nothing"], Rooms()) == USED_WRONGLY
    assert "MODEL" in capfd.readouterr().err
