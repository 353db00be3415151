"""A model is written as an .mlxfn for a target of MLX."""

import subprocess
import sys

import pytest

from app.engine.exporting import export
from app.engine.on_mlx import on_mlx
from app.errors import EngineRefused, StorageError, TargetUnavailable
from app.paths import resource

LITE0 = resource("models", "EfficientNet-Lite0-fp16.mlpackage")


@pytest.mark.mlx
def test_the_file_runs_without_this_project(tmp_path):
    made = export(LITE0, tmp_path / "lite0.mlxfn", "mlx-cpu", "fp32", batch=2)
    assert [port.name for port in made.inputs] == ["image"]
    assert made.outputs[0].shape == (1, 1000)
    code = f"""
import mlx.core as mx
mx.set_default_device(mx.cpu)
(scores,) = mx.import_function({str(made.file)!r})(mx.zeros((2, 224, 224, 3), mx.uint8))
print(scores.shape, round(scores.sum(axis=1).max().item(), 3))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["(2,", "1000)", "1.0"]


@pytest.mark.mlx
def test_a_file_that_is_there_stays(tmp_path):
    file = tmp_path / "mine.mlxfn"
    file.write_bytes(b"mine")
    with pytest.raises(StorageError):
        export(LITE0, file, "mlx-cpu", "fp32")
    assert file.read_bytes() == b"mine"


def test_core_ml_has_no_such_files(tmp_path):
    with pytest.raises(TargetUnavailable):
        export(LITE0, tmp_path / "x.mlxfn", "coreml-cpu", "stored")


@pytest.mark.parametrize("error", [RuntimeError("no room\nat all"), ValueError("no room")])
def test_what_mlx_raises_names_target_and_model(error):
    with pytest.raises(EngineRefused) as caught, on_mlx("mlx-cpu", LITE0):
        raise error
    assert caught.value.fields["cause"] == "no room"
    assert caught.value.fields["model"] == LITE0.name
