"""Compiled models: what they answer, and how they come back from the cache."""

import errno
import os
import resource
import shutil
import subprocess
import sys

import mlx.core as mx
import numpy as np
import pytest

from app.compiler import compile_model
from app.compiler.model import Port
from app.paths import resource as resource_file

pytestmark = pytest.mark.mlx

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 10, 12, 3), dtype=np.uint8)


def test_ports_are_those_of_the_model(small_package):
    model = compile_model(small_package)
    assert model.inputs == (Port("image", (1, 10, 12, 3), "uint8"),)
    assert model.outputs == (Port("classLabel_probs", (1, 3), "fp32"),)
    assert model.labels == ("ant", "bee", "cat")


def test_the_label_is_that_of_the_largest_probability(small_package):
    answer = compile_model(small_package, precision="fp32")(image=PIXELS)
    assert list(answer) == ["classLabel_probs", "classLabel"]
    np.testing.assert_allclose(answer["classLabel_probs"].sum(axis=1), 1, rtol=1e-5)
    assert [*answer["classLabel"]] == [("ant", "bee", "cat")[i] for i in answer["classLabel_probs"].argmax(axis=1)]


@pytest.mark.parametrize("precision", ["stored", "fp32", "fp16", "bf16"])
def test_outputs_have_the_declared_type_in_every_precision(small_package, precision):
    model = compile_model(small_package, precision=precision)
    (scores,) = model.function(mx.array(PIXELS[:1]))
    assert scores.dtype == mx.float32
    assert model(image=PIXELS[:1])["classLabel_probs"].dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "error"),
    [
        ({"photo": PIXELS}, TypeError),
        ({}, TypeError),
        ({"image": PIXELS[0]}, ValueError),
        ({"image": PIXELS[:0]}, ValueError),
        ({"image": PIXELS.astype(np.float32)}, ValueError),
        ({"image": PIXELS[:, :9]}, ValueError),
    ],
)
def test_other_arrays_are_refused(small_package, arrays, error):
    with pytest.raises(error):
        compile_model(small_package)(**arrays)


def test_many_images_give_what_single_ones_give(small_package):
    model = compile_model(small_package, precision="fp32")
    together = model(image=PIXELS)["classLabel_probs"]
    singles = [model(image=PIXELS[i : i + 1])["classLabel_probs"] for i in range(3)]
    np.testing.assert_allclose(together, np.concatenate(singles), rtol=1e-5, atol=1e-6)


def test_pixels_of_a_bgr_model_change_places(small_package, tmp_path):
    from coremltools.proto import Model_pb2

    other = shutil.copytree(small_package, tmp_path / "bgr.mlpackage")
    file = next(other.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    specification.description.input[0].type.imageType.colorSpace = 30
    file.write_bytes(specification.SerializeToString())
    rgb = compile_model(small_package, precision="fp32")(image=np.ascontiguousarray(PIXELS[..., ::-1]))
    np.testing.assert_array_equal(
        compile_model(other, precision="fp32")(image=PIXELS)["classLabel_probs"], rgb["classLabel_probs"]
    )


def test_the_second_time_it_comes_from_the_cache_and_answers_the_same(small_package, tmp_path):
    first = compile_model(small_package, cache_folder=tmp_path)
    second = compile_model(small_package, cache_folder=tmp_path)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert first.cache_note is second.cache_note is None
    assert second.facts == first.facts
    assert second.outputs == first.outputs
    np.testing.assert_array_equal(first(image=PIXELS)["classLabel_probs"], second(image=PIXELS)["classLabel_probs"])


def test_a_start_from_the_cache_imports_no_coremltools(small_package, tmp_path):
    compile_model(small_package, cache_folder=tmp_path)
    code = """if True:
        import sys
        from app.machine.blas import load_openblas
        load_openblas()
        from app.compiler import compile_model
        model = compile_model(sys.argv[1], cache_folder=sys.argv[2])
        print(model.from_cache, "coremltools" in sys.modules)
    """
    command = [sys.executable, "-c", code, str(small_package), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_copy_under_another_name_comes_from_the_cache_with_its_own_name(small_package, tmp_path):
    compile_model(small_package, cache_folder=tmp_path / "cache")
    copy = shutil.copytree(small_package, tmp_path / "copy.mlpackage")
    model = compile_model(copy, cache_folder=tmp_path / "cache")
    assert (model.from_cache, model.facts.name) == (True, "copy.mlpackage")


def test_the_cache_may_vanish_under_a_model(small_package, tmp_path):
    compile_model(small_package, cache_folder=tmp_path)
    model = compile_model(small_package, cache_folder=tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert model(image=PIXELS[:1])["classLabel"].shape == (1,)
    assert model(image=PIXELS)["classLabel"].shape == (3,)


def test_a_damaged_entry_is_made_again(small_package, tmp_path):
    compile_model(small_package, cache_folder=tmp_path)
    function_file = next(tmp_path.glob("*.mlxfn"))
    function_file.write_bytes(function_file.read_bytes()[:-100])
    again = compile_model(small_package, cache_folder=tmp_path)
    assert not again.from_cache
    assert "damaged" in again.cache_note
    assert compile_model(small_package, cache_folder=tmp_path).from_cache


def test_a_folder_that_cannot_be_made_costs_only_a_note(small_package, tmp_path):
    (tmp_path / "file").write_text("in the way")
    model = compile_model(small_package, cache_folder=tmp_path / "file" / "cache")
    assert not model.from_cache
    assert "Not a directory" in model.cache_note
    assert model(image=PIXELS)["classLabel"].shape == (3,)


def test_a_full_disk_costs_only_a_note(small_package, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    model = compile_model(small_package, cache_folder=tmp_path)
    assert "No space left on device" in model.cache_note
    assert model(image=PIXELS)["classLabel"].shape == (3,)
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_written_at_all_it_still_runs(small_package, tmp_path):
    wanted = compile_model(small_package)(image=PIXELS)["classLabel_probs"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        model = compile_model(small_package, cache_folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "could not be kept" in model.cache_note
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_allclose(model(image=PIXELS)["classLabel_probs"], wanted, rtol=1e-6)


def test_two_processes_at_once_leave_a_whole_cache(small_package, tmp_path):
    code = """if True:
        import sys
        from app.machine.blas import load_openblas
        load_openblas()
        from app.compiler import compile_model
        print("ready", flush=True)
        sys.stdin.readline()
        model = compile_model(sys.argv[1], cache_folder=sys.argv[2])
        print(model.cache_note)
    """
    command = [sys.executable, "-c", code, str(small_package), str(tmp_path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate(timeout=60)[0] for one in both] == ["None\n", "None\n"]
    assert compile_model(small_package, cache_folder=tmp_path).from_cache
    assert not list(tmp_path.glob("*.tmp*"))


def test_the_plan_for_a_gpu_gives_the_same_answer(small_package, tmp_path):
    # channels last and MLX's own convolution, evaluated on the CPU
    from app.compiler.build import build
    from app.compiler.preparation import read
    from app.compiler.reading.package import open_package

    wanted = compile_model(small_package, precision="fp32")(image=PIXELS[:1])["classLabel_probs"]
    _, program = read(open_package(small_package), None, "fp32", "gpu")
    assert [o.kind for o in program.operations].count("conv") == 1
    function = build(program)
    np.testing.assert_allclose(np.array(function(mx.array(PIXELS[:1]))[0]), wanted, rtol=1e-4, atol=1e-5)
    # Turned weights once came back from the file in the wrong order.
    file = str(tmp_path / "function.mlxfn")
    mx.export_function(file, function, mx.array(PIXELS[:1]))
    np.testing.assert_allclose(
        np.array(mx.import_function(file)(mx.array(PIXELS[:1]))[0]), wanted, rtol=1e-4, atol=1e-5
    )


@pytest.mark.gpu
@pytest.mark.skipif(mx.device_count(mx.gpu) == 0, reason="MLX has no GPU here")
@pytest.mark.parametrize("precision", ["fp32", "stored"])
def test_a_real_gpu_answers_like_the_cpu(precision):
    path = resource_file("models", "EfficientNet-Lite0-fp16.mlpackage")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    wanted = compile_model(path, precision="fp32")(image=pixels)["classLabel_probs"]
    given = compile_model(path, precision=precision, device="gpu")(image=pixels)["classLabel_probs"]
    np.testing.assert_allclose(given, wanted, atol=0.01)


def test_openblas_is_loaded_before_mlx_for_the_cpu_of_linux(small_package):
    code = """if True:
        import sys
        from app.compiler import compile_model
        from app.machine import blas
        compile_model(sys.argv[1])
        print(blas._loaded is not None or blas._reason is not None)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(small_package)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [str(sys.platform == "linux")]
