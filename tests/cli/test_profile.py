"""`dyno profile` shows where MLX spends its time."""

import json
from dataclasses import replace

from app.cli.main import FAILED, USED_WRONGLY, run_command_line
from app.compiler.profile_report import GroupTime, Profile
from tests.cli.stand_in_rooms import StandInRooms


class Rooms(StandInRooms):
    def profile(self, path, target_id, precision, **asked):
        self.asked = (path, target_id, precision, asked["function"], asked["rounds"])
        return Profile(
            model="cat.mlpackage",
            device="cpu",
            precision=precision,
            rounds=asked["rounds"],
            groups=(GroupTime("convolution", 3, 30.0, (("pointwise_conv", 2, 20.0), ("banded_conv", 1, 10.0))),),
            stepwise_ms=40.0,
            whole_ms=32.0,
        )


def test_groups_and_both_sums(capfd):
    assert run_command_line(["profile", "lite0"], Rooms()) == 0
    out = capfd.readouterr().out
    assert "convolution" in out
    assert "75.0 %" in out
    assert "Step by step 40.0 ms, as a whole 32.0 ms" in out
    assert "as a whole the model is faster" in out
    assert "banded_conv" not in out


def test_each_kind_on_request(capfd):
    assert run_command_line(["profile", "lite0", "--operations"], Rooms()) == 0
    assert "banded_conv" in capfd.readouterr().out


def test_target_precision_function_and_rounds_are_passed_on():
    rooms = Rooms()
    assert run_command_line(["profile", "lite0", "-t", "mlx-gpu:fp16", "--function", "f", "--rounds", "7"], rooms) == 0
    assert rooms.asked == (rooms.card.path, "mlx-gpu", "fp16", "f", 7)


def test_core_ml_cannot_be_looked_into(capfd):
    assert run_command_line(["profile", "lite0", "-t", "coreml-ne"], Rooms()) == USED_WRONGLY
    assert "mlx-cpu" in capfd.readouterr().err


def test_a_target_that_is_missing_is_said(capfd):
    assert run_command_line(["profile", "lite0", "-t", "mlx-gpu"], Rooms(available=("mlx-cpu",))) == FAILED
    assert "not available" in capfd.readouterr().err


def test_json(capfd):
    assert run_command_line(["profile", "lite0", "--json"], Rooms()) == 0
    assert json.loads(capfd.readouterr().out)["groups"][0]["kinds"][1] == ["banded_conv", 1, 10.0]


def test_a_whole_that_is_slower_than_its_steps_is_not_called_faster(capfd):
    class Busy(Rooms):
        def profile(self, *asked, **more):
            return replace(super().profile(*asked, **more), whole_ms=41.0)

    assert run_command_line(["profile", "lite0"], Busy()) == 0
    out = capfd.readouterr().out
    assert "faster" not in out
    assert "Measure again" in out
