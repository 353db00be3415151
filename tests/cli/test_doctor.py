"""`dyno doctor` tells what is there, and what to do about what is not."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app import paths
from app.cli.health import folder_health
from app.cli.main import run_command_line
from tests.cli.stand_in_rooms import StandInRooms


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Everything that has to be there, in a folder of the test's own."""
    resources = tmp_path / "resources"
    for name in ("samples/cat.jpg", "labels/imagenet.json", "labels/imagenet.zh_TW.json", "models/m.mlmodel"):
        (resources / name).parent.mkdir(parents=True, exist_ok=True)
        (resources / name).write_text("x")
    (resources / "samples/samples.json").write_text('{"samples": [{"file": "cat.jpg"}]}')
    (resources / "locale/zh_TW/LC_MESSAGES").mkdir(parents=True)
    (resources / "locale/zh_TW/LC_MESSAGES/dyno.mo").write_bytes(
        b"\xde\x12\x04\x95" + bytes(4) + (0).to_bytes(4, "little") + (28).to_bytes(4, "little") * 2 + bytes(8)
    )
    monkeypatch.setattr(paths, "resources_folder", lambda: resources)
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    return resources


@pytest.fixture
def rooms(folders):
    found = StandInRooms()
    found.card = replace(found.card, path=folders / "models/m.mlmodel")
    return found


def report(capfd, rooms):
    status = run_command_line(["doctor", "--json"], rooms)
    return status, json.loads(capfd.readouterr().out)


def test_all_is_well(rooms, capfd, tmp_path):
    status, found = report(capfd, rooms)
    assert status == 0
    assert found["problems"] == []
    assert found["machine"]["chip"] == "Test chip"
    assert found["versions"]["mlx"]
    assert [(one["target"], one["available"]) for one in found["targets"]][:3] == [
        ("mlx-gpu", True),
        ("mlx-cpu", True),
        ("coreml-ne", False),
    ]
    assert found["targets"][0]["detail"] == "a device"
    assert found["targets"][1]["detail"] == "CPU, a fast library"
    assert found["targets"][2]["reason"] == "Core ML needs macOS"
    assert found["folders"]["cache"]["path"] == str(tmp_path / "cache")
    assert found["folders"]["cache"]["writable"]


def test_report_for_a_person(rooms, capfd):
    assert run_command_line(["doctor"], rooms) == 0
    out = capfd.readouterr().out
    assert "MLX · GPU" in out
    assert "Core ML needs macOS" in out
    assert "Nothing is wrong." in out


def test_looking_creates_nothing(rooms, capfd, tmp_path):
    report(capfd, rooms)
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("samples/cat.jpg", "cat.jpg"),
        ("samples/samples.json", "samples.json"),
        ("labels/imagenet.zh_TW.json", "imagenet.zh_TW.json"),
        ("locale/zh_TW/LC_MESSAGES/dyno.mo", "dyno.mo"),
        ("models/m.mlmodel", "m.mlmodel"),
    ],
)
def test_what_is_missing_is_a_problem(rooms, folders, capfd, file, said):
    (folders / file).unlink()
    status, found = report(capfd, rooms)
    assert status == 1
    assert any(said in one["what"] and one["advice"] for one in found["problems"])


def test_no_target_is_a_problem(rooms, capfd):
    rooms.available = ()
    status, found = report(capfd, rooms)
    assert status == 1
    assert found["problems"][0]["what"] == "No target is available."


def test_slow_library_is_a_problem(rooms, capfd):
    rooms.cpu_library = lambda: ("CPU, a slow library", "OpenBLAS is not installed")
    status, found = report(capfd, rooms)
    assert status == 1
    assert "OpenBLAS is not installed" in found["problems"][0]["what"]
    assert "libopenblas0" in found["problems"][0]["advice"]


def test_cache_in_the_way_of_a_file_is_a_problem(rooms, capfd, tmp_path):
    (tmp_path / "cache").write_text("a file")
    status, found = report(capfd, rooms)
    assert status == 1
    assert not found["folders"]["cache"]["writable"]
    assert "DYNO_CACHE_DIR" in found["problems"][0]["advice"]


def test_problem_is_shown_to_a_person(rooms, folders, capfd):
    (folders / "samples/cat.jpg").unlink()
    assert run_command_line(["doctor"], rooms) == 1
    assert "lacks cat.jpg. Install the program again." in capfd.readouterr().out


def test_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / "one" / "a").write_bytes(b"x" * 100)
    (tmp_path / "one" / "two" / "b").write_bytes(b"x" * 20)
    found = folder_health(tmp_path / "one")
    assert found.size_bytes == 120
    assert found.writable
    assert found.free_bytes > 0


@pytest.mark.skipif(os.name != "posix" or not os.path.exists("/proc"), reason="needs a folder that nobody may write to")
def test_folder_that_nobody_can_write_to():
    assert not folder_health(Path("/proc/self")).writable


def test_folder_below_one_without_permission_is_not_writable(tmp_path, monkeypatch):
    def refuse(path, **_options):
        if "closed" in path.parts[:-1]:
            raise PermissionError(13, "Permission denied")
        return True

    monkeypatch.setattr(Path, "exists", refuse)
    assert not folder_health(tmp_path / "closed" / "cache").writable


def test_only_pictures_count_as_sample_photos(rooms, capfd):
    _status, found = report(capfd, rooms)
    assert next(one["count"] for one in found["resources"] if one["name"] == "sample photos") == 1
    run_command_line(["doctor"], rooms)
    out = capfd.readouterr().out
    assert "1 file" in out
    assert "1 files" not in out
