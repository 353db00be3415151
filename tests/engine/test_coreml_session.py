"""A Core ML session, against the stand-in everywhere and against Core ML itself on macOS."""

import gc
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import coreml_standin
import numpy as np
import pytest

from app.compiler import read_model_facts
from app.engine import coreml_cache, coreml_session
from app.engine.coreml_session import CoremlSession
from app.engine.messages import Lane, Load
from app.errors import EngineRefused, ModelHasNoImageInput, TargetUnavailable, UnsupportedModel
from app.paths import resource

MODEL = resource("models", "EfficientNet-Lite0-fp16.mlpackage")
ON_A_MAC = sys.platform == "darwin"


@pytest.fixture(scope="module")
def labels():
    return read_model_facts(MODEL).labels


@pytest.fixture
def native(monkeypatch, labels):
    """The stand-in, put in place."""
    native = coreml_standin.Native(labels, (224, 224))
    coreml_standin.install(monkeypatch, native)
    monkeypatch.setattr(coreml_session, "sys", SimpleNamespace(platform="darwin"))
    return native


@pytest.fixture(
    params=[
        "stand-in",
        pytest.param(
            "real",
            marks=[pytest.mark.coreml, pytest.mark.skipif(not ON_A_MAC, reason="Core ML needs macOS")],
        ),
    ]
)
def core_ml(request):
    """The stand-in, and on macOS Core ML itself."""
    return request.getfixturevalue("native") if request.param == "stand-in" else None


@pytest.fixture
def make(tmp_path):
    """Makes a session of the model; the cache is a folder of the test's."""
    sessions = []

    def make_one(target="coreml-cpu", batch=1, model=MODEL, cache=None):
        lane = Lane(model=str(model), target=target, precision="stored", batch=batch)
        session = CoremlSession(Load(lane=lane, cache_folder=str(cache or tmp_path / "compiled")))
        sessions.append(session)
        return session

    yield make_one
    for session in sessions:
        session.close()


def load(session):
    stages = []
    return session.load(stages.append), stages


def batch(level, n=1):
    return np.full((n, 224, 224, 3), level, np.uint8)


# --- what holds on both ----------------------------------------------------------------------------------------------


def test_the_first_load_compiles_and_the_second_does_not(core_ml, make, tmp_path):
    first, stages = load(make())
    assert stages == ["reading", "compiling", "loading"]
    assert (first.from_cache, first.cache_note) == (False, None)
    second, stages = load(make())
    assert stages == ["reading", "loading"]
    assert second.from_cache
    assert second.model == first.model
    (compiled,) = (tmp_path / "compiled").iterdir()
    assert compiled.name.startswith(first.model.digest)
    assert compiled.suffix == ".mlmodelc"


def test_the_device_is_what_was_requested(core_ml, make):
    facts, _ = load(make("coreml-ne"))
    assert (facts.device, facts.device_is_certain) == ("requested CPU_AND_NE", False)
    facts, _ = load(make("coreml-cpu"))
    assert (facts.device, facts.device_is_certain) == ("requested CPU_ONLY", True)


def test_a_prediction_has_all_probabilities_in_the_order_of_the_labels(core_ml, make):
    session = make()
    facts, _ = load(session)
    outputs, engine_ns = session.predict(batch(120))
    assert set(outputs) == {facts.model.probabilities}
    (probabilities,) = outputs[facts.model.probabilities]
    assert probabilities.dtype == np.float32
    assert len(probabilities) == len(facts.model.labels)
    assert probabilities.sum() == pytest.approx(1, abs=1e-2)
    assert engine_ns > 0


def test_a_batch_is_predicted_at_once(core_ml, make):
    session = make(batch=3)
    facts, _ = load(session)
    several = session.predict(batch(120, 3))[0][facts.model.probabilities]
    assert several.shape == (3, len(facts.model.labels))
    assert (several == several[0]).all()


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(core_ml, make, tmp_path):
    (tmp_path / "file").touch()
    session = make(cache=tmp_path / "file" / "below")
    facts, stages = load(session)
    assert not facts.from_cache
    assert facts.cache_note
    assert stages == ["reading", "compiling"]
    assert session.predict(batch(1))[1] > 0


def test_memory_is_that_of_the_process(core_ml, make):
    session = make()
    load(session)
    memory = session.memory()
    assert memory.footprint_bytes > 1_000_000
    assert memory.mlx_active_bytes is None


# --- what only the stand-in can be made to do ------------------------------------------------------------------------


def test_the_engines_time_is_core_mls_own(native, make):
    session = make()
    load(session)
    native.duration_ns = 7
    assert session.predict(batch(1))[1] == 7


def test_without_a_time_of_core_mls_own_the_call_is_timed_and_that_is_said_once(native, make, caplog):
    session = make()
    load(session)
    native.duration_ns = None
    assert session.predict(batch(1))[1] > 0
    assert session.predict(batch(1))[1] > 0
    assert caplog.text.count("tells no duration") == 1


def test_the_answer_follows_the_picture(native, make, labels):
    session = make()
    load(session)
    for level in (0, 77, 255):
        probabilities = session.predict(batch(level))[0]["classLabel_probs"][0]
        assert probabilities.argmax() == level % len(labels)


@pytest.mark.parametrize("size", [1, 3])
def test_inputs_live_as_long_as_the_model(native, make, size):
    session = make(batch=size)
    load(session)
    session.predict(batch(1, size))
    first = native.living_inputs()
    for level in range(5):
        session.predict(batch(level, size))
    gc.collect()
    assert len(first) == size
    assert native.living_inputs() == first, "always the same ones, and none was let go of"


def test_units_are_asked_for_by_name(native, make):
    for target, units in [
        ("coreml-ne", "CPU_AND_NE"), ("coreml-gpu", "CPU_AND_GPU"), ("coreml-all", "ALL"), ("coreml-cpu", "CPU_ONLY")
    ]:  # fmt: skip
        load(make(target))
        assert native.loaded[-1][1] == units


def test_the_path_of_the_compiled_model_is_whole_and_always_the_same(native, make, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        load(make(cache="compiled"))
    assert len({path for path, _ in native.loaded}) == 1
    assert all(os.path.isabs(path) for path, _ in native.loaded)


def test_a_load_that_fails_without_raising_is_an_error(native, make, tmp_path):
    (tmp_path / "file").touch()
    native.load_error = "Error creating E5RT program\nsecond line"
    with pytest.warns(RuntimeWarning), pytest.raises(EngineRefused, match=r"E5RT program\)"):
        load(make(cache=tmp_path / "file" / "below"))


def test_a_model_newer_than_the_system_is_an_error_though_nothing_is_raised(native, make, tmp_path):
    (tmp_path / "file").touch()
    native.newest_specification = 1
    with pytest.raises(EngineRefused, match="did not load"):
        load(make(cache=tmp_path / "file" / "below"))


def test_a_compiled_model_that_does_not_load_is_an_error(native, make):
    native.load_error = "ANE compilation failed"
    with pytest.raises(EngineRefused, match="ANE compilation failed") as caught:
        load(make("coreml-ne"))
    assert caught.value.fields["target"] == "Core ML · Neural Engine"
    assert caught.value.fields["model"] == MODEL.name


def test_a_model_that_cannot_be_compiled_is_an_error_and_leaves_nothing(native, make, tmp_path):
    native.compile_error = "Error compiling model: compiler error"
    with pytest.raises(EngineRefused, match="compiler error"):
        load(make())
    assert list((tmp_path / "compiled").iterdir()) == []


def test_a_prediction_that_fails_is_an_error_and_the_next_one_works(native, make):
    session = make()
    load(session)
    native.predict_error = "Unable to compute the prediction using a neural network model. (error code: -1)"
    with pytest.raises(EngineRefused, match="error code: -1"):
        session.predict(batch(1))
    native.predict_error = None
    assert session.predict(batch(1))[1] > 0


def test_a_damaged_compiled_model_is_compiled_again(native, make, tmp_path):
    load(make())
    (compiled,) = (tmp_path / "compiled").iterdir()
    (compiled / coreml_standin.NEEDED).unlink()
    facts, stages = load(make())
    assert not facts.from_cache
    assert stages == ["reading", "loading", "compiling", "loading"]
    assert (compiled / coreml_standin.NEEDED).is_file()


def test_leftovers_of_a_killed_process_are_removed_and_those_of_a_living_one_stay(native, make, tmp_path):
    folder = tmp_path / "compiled"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    of_dead, of_living, of_ours = (
        folder / f"0-9.0-15.1.unfinished-{pid}.mlmodelc" for pid in (dead.pid, os.getppid(), os.getpid())
    )
    for path in (of_dead, of_living, of_ours):
        path.mkdir(parents=True)
    load(make())
    assert not of_dead.exists()
    assert of_living.exists()


def test_the_end_of_a_macos_version_is_not_mistaken_for_a_process(native, make, tmp_path, monkeypatch):
    monkeypatch.setattr(coreml_cache.psutil, "pid_exists", lambda pid: False)
    finished = tmp_path / "compiled" / "0-9.0-15.7.mlmodelc"
    finished.mkdir(parents=True)
    load(make())
    assert finished.is_dir()


def test_a_package_is_opened_without_being_touched_when_the_cache_cannot_be_used(native, make, tmp_path):
    package = tmp_path / "mine.mlpackage"
    shutil.copytree(MODEL, package)
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*") if path.is_file()}
    (tmp_path / "file").touch()
    session = make(model=package, cache=tmp_path / "file" / "below")
    load(session)
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*") if path.is_file()} == before


def test_an_unfinished_try_of_the_same_process_is_replaced(native, make, tmp_path):
    load(make())
    (compiled,) = (tmp_path / "compiled").iterdir()
    compiled.rename(compiled.with_name(f"{compiled.stem}.unfinished-{os.getpid()}.mlmodelc"))
    facts, _ = load(make())
    assert not facts.from_cache
    assert [path.name for path in (tmp_path / "compiled").iterdir()] == [compiled.name]
    assert (compiled / coreml_standin.NEEDED).is_file(), "not nested in a folder that was there already"


def test_two_processes_may_compile_the_same_model_at_once(native, make, tmp_path):
    """The other one finishes while this one is still compiling."""

    def other_finishes():
        native.while_compiling = lambda: None
        load(make("coreml-ne"))

    native.while_compiling = other_finishes
    facts, _ = load(make("coreml-gpu"))
    assert (facts.from_cache, facts.cache_note) == (False, None)
    (compiled,) = (tmp_path / "compiled").iterdir()
    assert (compiled / coreml_standin.NEEDED).is_file()


def test_the_models_own_temporary_copy_goes_with_it(native, make, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(coreml_standin.tempfile, "tempdir", str(temporary))
    (tmp_path / "file").touch()
    session = make(cache=tmp_path / "file" / "below")
    load(session)
    assert list(temporary.iterdir())
    session.close()
    gc.collect()
    assert [path for path in temporary.iterdir() if list(path.iterdir())] == []


def greyscale_model(path, *, with_labels=True):
    """A classifier's description with a greyscale input and whole numbers as labels; it has no layers."""
    from coremltools.proto import FeatureTypes_pb2, Model_pb2

    spec = Model_pb2.Model(specificationVersion=4)
    picture = spec.description.input.add(name="image")
    picture.type.imageType.width, picture.type.imageType.height = 9, 7
    picture.type.imageType.colorSpace = FeatureTypes_pb2.ImageFeatureType.GRAYSCALE
    spec.description.output.add(name="digits").type.dictionaryType.int64KeyType.SetInParent()
    spec.description.output.add(name="digit").type.int64Type.SetInParent()
    spec.description.predictedFeatureName, spec.description.predictedProbabilitiesName = "digit", "digits"
    if with_labels:
        spec.neuralNetworkClassifier.int64ClassLabels.vector.extend(range(10))
    else:
        spec.pipelineClassifier.SetInParent()
    path.write_bytes(spec.SerializeToString())
    return path


def test_a_greyscale_model_with_numbers_as_labels(native, make, tmp_path):
    native.labels, native.size, native.mode = list(range(10)), (9, 7), "L"
    native.probabilities_name, native.label_name = "digits", "digit"
    session = make(model=greyscale_model(tmp_path / "digits.mlmodel"))
    facts, _ = load(session)
    assert facts.model.labels == tuple("0123456789")
    outputs, _ = session.predict(np.full((1, 7, 9, 1), 38, np.uint8))
    assert outputs["digits"][0].argmax() == 8


@pytest.mark.parametrize(("images", "error"), [(0, ModelHasNoImageInput), (2, UnsupportedModel)])
def test_a_model_of_other_inputs_than_one_image_is_refused(native, make, tmp_path, images, error):
    from coremltools.proto import Model_pb2

    path = greyscale_model(tmp_path / "digits.mlmodel")
    spec = Model_pb2.Model()
    spec.ParseFromString(path.read_bytes())
    picture = spec.description.input.pop()
    for number in range(images):
        spec.description.input.add(name=f"image{number}").type.CopyFrom(picture.type)
    path.write_bytes(spec.SerializeToString())
    with pytest.raises(error):
        load(make(model=path))


def test_a_classifier_whose_labels_cannot_be_read_is_refused(native, make, tmp_path):
    with pytest.raises(UnsupportedModel, match="labels"):
        load(make(model=greyscale_model(tmp_path / "pipeline.mlmodel", with_labels=False)))


def test_labels_that_core_ml_does_not_answer_are_told(native, make):
    session = make()
    load(session)
    native.labels = native.labels[:-1]
    with pytest.raises(UnsupportedModel, match="no probability"):
        session.predict(batch(1))


@pytest.mark.skipif(ON_A_MAC, reason="macOS has Core ML")
def test_without_macos_the_target_is_not_available(make):
    with pytest.raises(TargetUnavailable, match="needs macOS"):
        load(make())
