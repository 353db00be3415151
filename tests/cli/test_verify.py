"""`dyno verify` says whether MLX gives what a file states."""

import json

from app.cli.main import FAILED, USED_WRONGLY, run_command_line
from app.compiler.verify_report import Difference, Verification
from tests.cli.stand_in_rooms import StandInRooms

GOOD = Difference("scores", 0.9999999, 1.2e-6, 3e-6, 0.5, True)
BAD = Difference("scores", 0.5, 3.0, 0.9, 0.0, False)


class Rooms(StandInRooms):
    def __init__(self, found):
        super().__init__()
        self.found = found

    def verify(self, path, target_id, precision, *, function):
        self.asked = (path, target_id, precision, function)
        return self.found


def test_a_model_that_agrees(capfd):
    assert run_command_line(["verify", "lite0"], Rooms(Verification("fp32", "cpu", (GOOD,), None, None))) == 0
    out = capfd.readouterr().out
    assert "0.9999999" in out
    assert "gives what the file states" in out


def test_a_model_that_does_not(capfd):
    assert run_command_line(["verify", "lite0"], Rooms(Verification("fp32", "cpu", (BAD,), "conv", BAD))) == FAILED
    assert "“conv”" in capfd.readouterr().out


def test_target_precision_and_function_are_passed_on():
    rooms = Rooms(Verification("fp16", "gpu", (GOOD,), None, None))
    assert run_command_line(["verify", "lite0", "-t", "mlx-gpu:fp16", "--function", "f"], rooms) == 0
    assert rooms.asked == (rooms.card.path, "mlx-gpu", "fp16", "f")


def test_core_ml_cannot_be_looked_into():
    rooms = Rooms(Verification("fp32", "cpu", (GOOD,), None, None))
    assert run_command_line(["verify", "lite0", "-t", "coreml-cpu"], rooms) == USED_WRONGLY


def test_json(capfd):
    assert run_command_line(["verify", "lite0", "--json"], Rooms(Verification("fp32", "cpu", (BAD,), "conv", BAD))) == 1
    found = json.loads(capfd.readouterr().out)
    assert (found["agrees"], found["first_operation"]) == (False, "conv")
