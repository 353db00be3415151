"""An exported function is a file of its own, written whole or not at all."""

import os
import subprocess
import sys

import mlx.core as mx
import numpy as np
import pytest

from app.compiler import compile_model
from app.compiler.export import write_new
from app.errors import DiskFull, StorageError

pytestmark = pytest.mark.mlx

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 10, 12, 3), dtype=np.uint8)

ALONE = """
import sys
import mlx.core as mx
import numpy as np
assert not any("dyno" in path or path.endswith("main") for path in sys.path), sys.path
mx.set_default_device(mx.cpu)
function = mx.import_function(sys.argv[1])
(scores,) = function(mx.array(np.load(sys.argv[2])))
np.save(sys.argv[3], np.array(scores))
assert "app" not in sys.modules
"""


def test_another_program_without_this_project_gets_the_same_numbers(small_package, tmp_path):
    model = compile_model(small_package, precision="fp32")
    model.export(tmp_path / "small.mlxfn", batch=3)
    np.save(tmp_path / "pixels.npy", PIXELS)
    # -I leaves out the working directory and PYTHONPATH, and with them this project.
    command = [sys.executable, "-I", "-c", ALONE, "small.mlxfn", "pixels.npy", "scores.npy"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    wanted = model(image=PIXELS)["classLabel_probs"]
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), wanted, rtol=1e-5, atol=1e-6)


def test_a_model_from_the_cache_can_be_exported_too(small_package, tmp_path):
    compile_model(small_package, cache_folder=tmp_path / "cache")
    model = compile_model(small_package, cache_folder=tmp_path / "cache")
    assert model.from_cache
    model.export(tmp_path / "small.mlxfn")
    (scores,) = mx.import_function(str(tmp_path / "small.mlxfn"))(mx.array(PIXELS[:1]))
    assert scores.shape == (1, 3)


def test_nothing_is_overwritten_unless_asked(small_package, tmp_path):
    file = tmp_path / "small.mlxfn"
    file.write_bytes(b"mine")
    model = compile_model(small_package)
    with pytest.raises(StorageError, match="exists already"):
        model.export(file)
    assert file.read_bytes() == b"mine"
    model.export(file, overwrite=True)
    assert file.read_bytes() != b"mine"
    assert os.listdir(tmp_path) == ["small.mlxfn"]


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_that_is_none_is_refused(small_package, tmp_path, batch):
    with pytest.raises(ValueError, match="batch"):
        compile_model(small_package).export(tmp_path / "small.mlxfn", batch)


@pytest.mark.parametrize("shapes", [{"photo": (1, 10, 12, 3)}, {"image": (1, 20, 12, 3)}])
def test_shapes_that_the_file_does_not_allow_are_refused(small_package, tmp_path, shapes):
    with pytest.raises(ValueError, match=r"photo|image"):
        compile_model(small_package).export(tmp_path / "small.mlxfn", shapes=shapes)
    assert os.listdir(tmp_path) == []


def test_a_place_that_is_not_there_is_a_storage_error(small_package, tmp_path):
    with pytest.raises(StorageError):
        compile_model(small_package).export(tmp_path / "none" / "small.mlxfn")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    def full(file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        write_new(tmp_path / "x.mlxfn", full, overwrite=False)
    assert os.listdir(tmp_path) == []


def test_a_failed_overwrite_keeps_the_old_file(tmp_path):
    (tmp_path / "x.mlxfn").write_bytes(b"old")

    def broken(file):
        raise RuntimeError("[export_function] Failed to open\nsomewhere")

    with pytest.raises(StorageError, match="Failed to open"):
        write_new(tmp_path / "x.mlxfn", broken, overwrite=True)
    assert (tmp_path / "x.mlxfn").read_bytes() == b"old"


def test_a_device_is_never_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe.mlxfn"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match="no regular file"):
        write_new(pipe, lambda file: file.write_bytes(b"x"), overwrite=True)
    assert pipe.is_fifo()


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link.mlxfn").symlink_to(tmp_path / "there.mlxfn")
    (tmp_path / "there.mlxfn").write_bytes(b"old")
    write_new(tmp_path / "link.mlxfn", lambda file: file.write_bytes(b"new"), overwrite=True)
    assert (tmp_path / "link.mlxfn").is_symlink()
    assert (tmp_path / "there.mlxfn").read_bytes() == b"new"
