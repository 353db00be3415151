"""`dyno race` prints verdicts, figures and comparisons, and keeps what was measured when it is interrupted."""

import json
import signal

import pytest

from app.cli.main import run_command_line
from app.errors import EngineDied
from tests.cli.stand_in_rooms import StandInRooms

DIED = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")


def race(*arguments, rooms=None):
    return run_command_line(["race", *arguments], rooms or StandInRooms(mlx_gpu={"ms": 1.0}, mlx_cpu={"ms": 4.0}))


def test_json_is_one_record(photo, capfd):
    assert race(photo, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert found["schema"] == 1
    assert found["complete"]
    assert found["mode"] == "quick"
    assert found["photo"] == {"name": photo, "width": 6, "height": 4, "crop": "centre"}
    assert [one["target"] for one in found["lanes"]] == ["mlx-gpu", "mlx-cpu"]
    assert [one["n"] for one in found["lanes"]] == [100, 100]
    assert found["lanes"][0]["model"] == "lite0"
    assert found["comparisons"] == [{"lane": 1, "baseline": 0, "ratio": 4.0, "low": 4.0, "high": 4.0}]
    assert found["conditions"]["machine"]["chip"] == "Test chip"
    assert found["conditions"]["versions"]["mlx"]


def test_full_race_has_a_thousand_samples(photo, capfd):
    assert race(photo, "--full", "-t", "mlx-cpu", "--json") == 0
    (lane,) = json.loads(capfd.readouterr().out)["lanes"]
    assert lane["n"] >= 1024
    assert lane["engine_ms"]["p99"] == 4.0


def test_table_says_verdict_figures_and_speed(photo, capfd):
    assert race(photo, "--baseline", "mlx-cpu") == 0
    out = capfd.readouterr().out
    assert "verdict" in out
    assert "trusted" in out
    assert "1.00 ms" in out
    assert "4.00×" in out
    assert "baseline" in out
    assert "Speed against MLX · CPU fp32" in out


def test_lane_that_answers_wrongly_is_wrong_and_not_fast(photo, capfd):
    rooms = StandInRooms(mlx_gpu={"ms": 1.0, "probabilities": (0.1, 0.9)}, mlx_cpu={"ms": 4.0})
    assert race(photo, "--baseline", "mlx-cpu", rooms=rooms) == 0
    out = capfd.readouterr().out
    assert "wrong: its first answer" in " ".join(out.split())
    assert "4.00×" not in out


@pytest.mark.parametrize("baseline", ["coreml-ne", "mlx-cpu:fp16"])
def test_baseline_that_does_not_race_is_wrong_use(photo, capfd, baseline):
    assert race(photo, "--baseline", baseline) == 2
    assert "is not in this race" in capfd.readouterr().err


def test_lane_that_fails_is_reported_and_the_others_are_measured(photo, capfd):
    assert race(photo, "--json", rooms=StandInRooms(mlx_gpu={"fail": 3, "error": DIED})) == 1
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["lanes"][0]["failure"]["error"] == "EngineDied"
    assert found["lanes"][1]["n"] == 100
    assert not found["complete"]
    assert err.count("\n") == 1
    assert "SIGKILL" in err


def test_the_same_target_twice_is_one_lane(photo, capfd):
    assert race(photo, "-t", "mlx-cpu", "-t", "mlx-cpu:fp32", "-t", "mlx-cpu", "--json") == 0
    assert len(json.loads(capfd.readouterr().out)["lanes"]) == 1


def test_failed_lane_in_the_table(photo, capfd):
    assert race(photo, rooms=StandInRooms(mlx_gpu={"fail": "open", "error": DIED})) == 1
    assert "failed" in capfd.readouterr().out


def test_photo_that_cannot_be_opened(tmp_path, capfd):
    assert race(str(tmp_path / "gone.jpg"), "--json") == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def interrupting(at_run):
    """Behaviour of an engine in whose run number `at_run` the user presses Ctrl-C."""

    def on_run(number, block, cancel):
        if number == at_run:
            signal.raise_signal(signal.SIGINT)
            assert cancel.is_set()
            return block[:5]
        return block

    return {"on_run": on_run}


def test_ctrl_c_keeps_what_was_measured(photo, capfd):
    rooms = StandInRooms(mlx_cpu=interrupting(4))
    assert race(photo, "--json", rooms=rooms) == 130
    found = json.loads(capfd.readouterr().out)
    assert not found["complete"]
    assert found["ended_by"] == "cancelled"
    assert [one["n"] for one in found["lanes"]] == [30, 23]
    assert rooms.stage.open == []


def test_table_of_an_interrupted_race_says_so(photo, capfd):
    assert race(photo, rooms=StandInRooms(mlx_cpu=interrupting(4))) == 130
    assert "ended early" in capfd.readouterr().out


def test_ctrl_c_while_loading_prints_nothing(photo, capfd):
    rooms = StandInRooms()
    before = signal.getsignal(signal.SIGINT)
    opening = rooms.open_engine

    def interrupted(lane, on_stage):
        if lane.target == "mlx-cpu":
            signal.raise_signal(signal.SIGINT)
        return opening(lane, on_stage)

    rooms.open_engine = interrupted
    assert race(photo, "--json", rooms=rooms) == 130
    assert capfd.readouterr().out == ""
    assert rooms.stage.open == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("columns", ["200", "110", "100", "80", "60", "40", "12", "0", "-3", "x"])
def test_figures_are_whole_at_any_width(photo, capfd, monkeypatch, columns):
    rooms = StandInRooms(mlx_gpu={"ms": 47.9}, mlx_cpu={"ms": 4.0})
    monkeypatch.setenv("COLUMNS", columns)
    assert race(photo, "-t", "mlx-gpu", rooms=rooms) == 0
    out = capfd.readouterr().out
    lines = out.splitlines()
    assert "47.9 ms" in out
    assert " × " in lines[0]
    if columns in ("100", "80", "0", "-3", "x"):
        assert any(line.startswith("MLX · GPU ") and "trusted" in line for line in lines)
    if columns in ("40", "12"):
        assert any(line.split()[0] == "median" for line in lines if line.strip())
