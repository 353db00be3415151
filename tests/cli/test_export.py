"""`dyno export` writes an .mlxfn and says how to call it."""

from pathlib import Path

from app.cli.main import FAILED, USED_WRONGLY, run_command_line
from app.compiler.model import Port
from app.engine.exporting import Exported
from app.errors import StorageError
from tests.cli.stand_in_rooms import StandInRooms


class Rooms(StandInRooms):
    def export(self, path, file, target_id, precision, **asked):
        self.asked = (path, file, target_id, precision, asked)
        if file.name == "there.mlxfn" and not asked["overwrite"]:
            raise StorageError(path=str(file), cause="it exists already")
        return Exported(
            file, asked["batch"], (Port("image", (1, 8, 9, 3), "uint8"),), (Port("scores", (1, 5), "fp32"),)
        )


def test_what_the_file_takes_and_gives(capfd):
    assert run_command_line(["export", "lite0", "-o", "a.mlxfn", "--batch", "4"], Rooms()) == 0
    out = capfd.readouterr().out
    assert "image  uint8  4 × 8 × 9 × 3" in out
    assert "scores  fp32  4 × 5" in out


def test_everything_asked_for_is_passed_on():
    rooms = Rooms()
    words = ["export", "lite0", "-o", "a.mlxfn", "-t", "mlx-gpu:fp16", "--function", "f", "--force"]
    assert run_command_line(words, rooms) == 0
    wanted = {"function": "f", "batch": 1, "overwrite": True}
    assert rooms.asked == (rooms.card.path, Path("a.mlxfn"), "mlx-gpu", "fp16", wanted)


def test_a_file_that_is_there_is_not_replaced_unasked(capfd):
    assert run_command_line(["export", "lite0", "-o", "there.mlxfn"], Rooms()) == FAILED
    assert "exists already" in capfd.readouterr().err


def test_core_ml_has_no_such_files():
    assert run_command_line(["export", "lite0", "-o", "a.mlxfn", "-t", "coreml-cpu"], Rooms()) == USED_WRONGLY


def test_the_output_has_to_be_named():
    assert run_command_line(["export", "lite0"], Rooms()) == USED_WRONGLY


def test_the_look_whether_it_is_there_comes_before_the_work(tmp_path, capfd):
    rooms = Rooms()
    (tmp_path / "a.mlxfn").write_bytes(b"mine")
    assert run_command_line(["export", "lite0", "-o", str(tmp_path / "a.mlxfn")], rooms) == FAILED
    assert not hasattr(rooms, "asked")
    assert (tmp_path / "a.mlxfn").read_bytes() == b"mine"
