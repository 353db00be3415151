"""`dyno classify` answers for each photo on each target, and says in one line what it could not do."""

import io
import json
import os
import shutil
import sys

import msgspec
import numpy as np
import pytest
from PIL import Image

from app.cli.main import run_command_line
from app.engine.messages import Tensor
from app.errors import EngineDied, UnsupportedOps
from tests.bench.stand_ins import StandInEngine
from tests.cli.stand_in_rooms import StandInRooms

DIED = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")


def classify(*arguments, rooms=None):
    return run_command_line(["classify", *arguments], rooms or StandInRooms())


def test_json_has_an_element_for_each_photo_and_target(photo, capfd):
    assert classify(photo, photo, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert [(one["photo"], one["target"]) for one in found] == [(photo, "mlx-gpu"), (photo, "mlx-cpu")] * 2
    first = found[0]
    assert (first["model"], first["precision"], first["batch"], first["crop"]) == ("lite0", "stored", 1, "centre")
    assert first["top"] == [
        {"index": 0, "label": "cat", "probability": pytest.approx(0.9)},
        {"index": 1, "label": "dog", "probability": pytest.approx(0.1)},
    ]
    assert (first["prepare_ms"], first["engine_ms"], first["total_ms"]) == (0.5, 2.0, 3.0)
    assert first["decode_ms"] > 0
    assert "outputs" not in first


def test_lanes_are_compared_with_the_fp32_lane(photo, capfd):
    classify(photo, "--json", rooms=StandInRooms(mlx_gpu={"probabilities": (0.3, 0.7)}))
    gpu, cpu = json.loads(capfd.readouterr().out)
    assert cpu["agreement"] is None
    assert gpu["agreement"]["reference"] == "mlx-cpu:fp32"
    assert not gpu["agreement"]["agrees"]


def test_table_shows_answers_times_and_disagreement(photo, capfd):
    assert classify(photo, rooms=StandInRooms(mlx_gpu={"probabilities": (0.3, 0.7)})) == 0
    out = capfd.readouterr().out
    assert "MLX · GPU" in out
    assert "6 × 4 JPEG" in out
    assert "2.00 ms" in out
    assert "90.0 %" in out
    assert "disagrees with mlx-cpu:fp32: its first answer is another one" in out


def test_named_targets_in_their_order(photo, capfd):
    assert classify(photo, "--json", "-t", "mlx-cpu:bf16", "-t", "mlx-gpu") == 0
    found = json.loads(capfd.readouterr().out)
    assert [(one["target"], one["precision"]) for one in found] == [("mlx-cpu", "bf16"), ("mlx-gpu", "stored")]


def test_precision_is_for_targets_that_name_none(photo, capfd):
    assert classify(photo, "--json", "-t", "mlx-cpu:bf16", "-t", "mlx-gpu", "--precision", "fp16") == 0
    assert [one["precision"] for one in json.loads(capfd.readouterr().out)] == ["bf16", "fp16"]


def test_default_target_without_the_precision_is_left_out_aloud(photo, capfd):
    rooms = StandInRooms(available=("mlx-cpu", "coreml-cpu"))
    assert classify(photo, "--json", "--precision", "fp16", rooms=rooms) == 0
    out, err = capfd.readouterr()
    assert [one["target"] for one in json.loads(out)] == ["mlx-cpu"]
    assert err == "dyno: Core ML · CPU is left out: it has no fp16.\n"


def test_top_may_exceed_the_number_of_labels(photo, capfd):
    assert classify(photo, "--json", "--top", "1000") == 0
    assert len(json.loads(capfd.readouterr().out)[0]["top"]) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--top", "0"], "--top"),
        (["--top", "-3"], "--top"),
        (["-t", "tpu"], "There is no target “tpu”"),
        (["-t", "mlx-cpu:int4"], "MLX · CPU has no “int4”"),
        (["-t", "coreml-cpu", "--precision", "fp16"], "Core ML · CPU has no “fp16”"),
        (["-m", "resnet"], "There is no model “resnet”"),
        (["--crop", "left"], "--crop"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(photo, capfd, arguments, said):
    assert classify(photo, *arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("dyno: ")
    assert said in err
    assert "dyno classify --help" in err


def test_no_photo_is_wrong_use(capfd):
    assert classify() == 2
    assert "PHOTO" in capfd.readouterr().err


def test_photo_that_fails_leaves_the_others(photo, tmp_path, capfd):
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(b"no picture")
    assert classify(str(torn), photo, str(tmp_path / "gone.jpg"), "--json") == 1
    out, err = capfd.readouterr()
    assert [one["photo"] for one in json.loads(out)] == [photo, photo]
    assert [line.split("”")[0] for line in err.splitlines()] == [
        f"dyno: “{tmp_path / one}" for one in ("torn.jpg", "gone.jpg")
    ]


def test_model_path_that_leads_nowhere_is_a_failure(photo, capfd):
    assert classify(photo, "-m", "gone.mlpackage") == 1
    assert "gone.mlpackage" in capfd.readouterr().err


def test_named_target_that_is_not_there_fails_and_the_others_answer(photo, capfd):
    assert classify(photo, "--json", "-t", "coreml-ne", "-t", "mlx-cpu") == 1
    out, err = capfd.readouterr()
    assert [one["target"] for one in json.loads(out)] == ["mlx-cpu"]
    assert err == "dyno: Core ML · Neural Engine is not available: Core ML needs macOS. Choose another target.\n"


def test_only_target_that_is_not_there(photo, capfd):
    assert classify(photo, "--json", "-t", "coreml-ne") == 1
    assert json.loads(capfd.readouterr().out) == []


def test_lane_that_cannot_load_is_named_and_the_others_answer(photo, capfd):
    error = UnsupportedOps(model="cat.mlpackage", ops=("nms",))
    assert classify(photo, "--json", rooms=StandInRooms(mlx_gpu={"fail": "open", "error": error})) == 1
    out, err = capfd.readouterr()
    assert [one["target"] for one in json.loads(out)] == ["mlx-cpu"]
    assert err.startswith("dyno: MLX · GPU: “cat.mlpackage” uses nms")


def test_lane_that_dies_is_reported_once_and_the_others_go_on(photo, capfd):
    rooms = StandInRooms(mlx_gpu={"fail": "classify", "error": DIED})
    assert classify(photo, photo, "--json", rooms=rooms) == 1
    out, err = capfd.readouterr()
    assert [one["target"] for one in json.loads(out)] == ["mlx-cpu", "mlx-cpu"]
    assert err.count("SIGKILL") == 1
    assert rooms.stage.open == []


def test_target_that_is_named_twice_answers_once(photo, capfd):
    assert classify(photo, "--json", "-t", "mlx-cpu", "-t", "mlx-cpu:fp32") == 0
    assert len(json.loads(capfd.readouterr().out)) == 1


def test_cache_that_cannot_be_used_is_told_and_no_failure(photo, capfd):
    assert classify(photo, "--json", rooms=StandInRooms(mlx_cpu={"cache_note": "the disk is full"})) == 0
    out, err = capfd.readouterr()
    assert len(json.loads(out)) == 2
    assert err == "dyno: MLX · CPU: the disk is full\n"


def test_engines_are_closed(photo):
    rooms = StandInRooms()
    classify(photo, "--json", rooms=rooms)
    assert [name for name, _lane in rooms.stage.calls].count("close") == 2


def test_folder_stands_for_its_photos_in_the_order_of_their_numbers(photo, tmp_path, capfd):
    folder = tmp_path / "many"
    (folder / "below").mkdir(parents=True)
    picture = Image.new("RGB", (3, 3))
    for name in ("10.png", "9.png", "below/1.png", ".hidden.png"):
        picture.save(folder / name)
    (folder / "notes.txt").write_text("no photo")
    assert classify(str(folder), "-t", "mlx-cpu", "--json") == 0
    found = [one["photo"] for one in json.loads(capfd.readouterr().out)]
    assert found == [str(folder / "9.png"), str(folder / "10.png")]


def test_empty_folder_is_a_failure(tmp_path, capfd):
    assert classify(str(tmp_path), "--json") == 1
    assert "holds no picture" in capfd.readouterr().err


def test_picture_on_standard_input(photo, capfd, monkeypatch):
    with open(photo, "rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read())))
    assert classify("-", "-t", "mlx-cpu", "--json") == 0
    assert json.loads(capfd.readouterr().out)[0]["photo"] == "-"


def test_nothing_on_standard_input(capfd, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert classify("-", "--json") == 1
    assert "standard input" in capfd.readouterr().err


class WithOutputs(StandInEngine):
    """Gives one output of the model."""

    def classify(self, photo_rgb, crop, *, top=5, outputs=False):
        answer = super().classify(photo_rgb, crop, top=top)
        data = self.probabilities.reshape(1, -1)
        tensor = Tensor(dtype=data.dtype.str, shape=data.shape, data=data.tobytes())
        return msgspec.structs.replace(answer, outputs={"probabilities": tensor} if outputs else None)


@pytest.fixture
def rooms_with_outputs(monkeypatch):
    monkeypatch.setattr("tests.bench.stand_ins.StandInEngine", WithOutputs)
    return StandInRooms()


def test_outputs_of_one_answer_have_their_own_names(photo, tmp_path, rooms_with_outputs):
    archive = tmp_path / "out.npz"
    assert classify(photo, "-t", "mlx-cpu", "--outputs", str(archive), rooms=rooms_with_outputs) == 0
    with np.load(archive) as found:
        assert found["probabilities"].tolist() == [pytest.approx([0.9, 0.1])]
        assert found["label"].tolist() == ["cat"]


def test_outputs_of_several_answers_name_photo_and_lane(photo, tmp_path, rooms_with_outputs):
    archive = tmp_path / "out.npz"
    assert classify(photo, "--outputs", str(archive), rooms=rooms_with_outputs) == 0
    with np.load(archive) as found:
        names = {f"{lane}/{name}" for lane in ("mlx-gpu:stored", "mlx-cpu:fp32") for name in ("label", "probabilities")}
        assert set(found) == {f"{photo}/{name}" for name in names}


def test_outputs_that_cannot_be_written_fail_and_the_results_are_printed(photo, tmp_path, capfd, rooms_with_outputs):
    wanted = str(tmp_path / "none" / "out.npz")
    assert classify(photo, "--json", "--outputs", wanted, rooms=rooms_with_outputs) == 1
    out, err = capfd.readouterr()
    assert len(json.loads(out)) == 2
    assert "cannot be written" in err
    assert err.count("\n") == 1


def test_name_that_is_no_text_is_printable(tmp_path, photo, capfd):
    odd = tmp_path / "caf\udce9.jpg"
    shutil.copy(photo, odd)
    assert classify(str(odd), "-t", "mlx-cpu", "--json") == 0
    assert json.loads(capfd.readouterr().out)[0]["photo"].endswith("caf\ufffd.jpg")


def test_name_with_brackets_is_no_markup(tmp_path, photo, capfd):
    odd = tmp_path / "[red]cat.jpg"
    shutil.copy(photo, odd)
    assert classify(str(odd), "-t", "mlx-cpu") == 0
    assert "[red]cat.jpg" in capfd.readouterr().out


def test_outputs_never_replace_what_is_no_regular_file(photo, tmp_path, capfd, rooms_with_outputs):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert classify(photo, "--outputs", str(pipe), rooms=rooms_with_outputs) == 1
    assert pipe.is_fifo()
    assert "it is no regular file" in capfd.readouterr().err


def test_outputs_go_where_a_link_leads(photo, tmp_path, rooms_with_outputs):
    link, target = tmp_path / "link.npz", tmp_path / "target.npz"
    link.symlink_to(target)
    for _time in range(2):
        assert classify(photo, "--outputs", str(link), rooms=rooms_with_outputs) == 0
        assert link.is_symlink()
        assert not target.is_symlink()
        assert np.load(link).files


@pytest.mark.parametrize("name", ["", "n" * 300])
def test_outputs_under_an_impossible_name(photo, tmp_path, capfd, monkeypatch, rooms_with_outputs, name):
    monkeypatch.chdir(tmp_path)
    assert classify(photo, "--outputs", name, rooms=rooms_with_outputs) == 1
    assert "cannot be written" in capfd.readouterr().err


def test_name_that_is_too_long_is_only_that_photos_failure(photo, capfd):
    assert classify(photo, "n" * 300 + ".jpg", photo, "--json", "-t", "mlx-cpu") == 1
    out, err = capfd.readouterr()
    assert [one["photo"] for one in json.loads(out)] == [photo, photo]
    assert "cannot be read as a picture" in err


def test_more_than_the_limit_on_standard_input_is_not_read(monkeypatch, capfd):
    monkeypatch.setattr("app.imaging.photo.LIMIT_FILE_BYTES", 10)
    endless = io.BytesIO(bytes(100))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(endless))
    assert classify("-") == 1
    assert endless.tell() == 11
    assert "the file is larger than 1 GB" in capfd.readouterr().err


def test_photos_of_one_name_in_two_folders_are_told_apart(tmp_path, capfd):
    paths = [str(tmp_path / folder / "missing.jpg") for folder in ("one", "two")]
    assert classify(*paths) == 1
    err = capfd.readouterr().err
    assert all(path in err for path in paths)
