"""An MLX session on the real model, in this process and in an engine process of its own."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from app.engine import mlx_session
from app.engine.blocking import OpenLane
from app.engine.messages import Lane, Load
from app.engine.mlx_session import MlxSession, describe_cpu
from app.errors import EngineOutOfMemory, EngineRefused, ModelUnreadable, TargetUnavailable, UnsupportedModel
from app.imaging.crop import Crop, prepare
from app.imaging.photo import open_photo
from app.machine.blas import Blas
from app.paths import cache_folder, resource

MODEL = resource("models", "EfficientNet-Lite0-fp16.mlpackage")


def lane(target="mlx-cpu", precision="fp32", batch=1, model=MODEL):
    return Lane(model=str(model), target=target, precision=precision, batch=batch)


def make(**options):
    return MlxSession(Load(lane=lane(**options), cache_folder=str(cache_folder("compiled"))))


@pytest.fixture(scope="module")
def photo():
    return open_photo(next(iter(sorted(resource("samples").glob("*.jpg"))))).rgb_hwc


@pytest.fixture
def session():
    session = make()
    session.load(lambda stage: None)
    yield session
    session.close()


@pytest.mark.mlx
def test_loading_tells_the_model_and_the_device():
    stages = []
    session = make()
    facts = session.load(stages.append)
    assert stages == ["loading", "compiling"]
    assert facts.model.name == MODEL.name
    assert len(facts.model.labels) == 1000
    assert facts.device.startswith("CPU, ")
    assert facts.device_is_certain
    assert not facts.from_cache
    assert make().load(stages.append).from_cache


def network(path, *inputs):
    """Adds its inputs up, a picture of 4 × 5 and what else is given: (name, optional). Returns the path."""
    from coremltools.models import datatypes, neural_network

    shape = datatypes.Array(3, 5, 4)
    every = [("image", shape), *((name, shape) for name, _ in inputs)]
    builder = neural_network.NeuralNetworkBuilder(every, [("sum", shape)], disable_rank5_shape_mapping=True)
    builder.add_elementwise("add", [name for name, _ in every], "sum", "ADD", 0.0 if len(every) == 1 else None)
    builder.set_pre_processing_parameters(image_input_names=["image"])
    for declared, (_, optional) in zip(builder.spec.description.input[1:], inputs, strict=True):
        declared.type.isOptional = optional
        if optional:
            declared.type.multiArrayType.floatDefaultValue = 3
    path.write_bytes(builder.spec.SerializeToString())
    return path


@pytest.mark.mlx
def test_optional_inputs_beside_the_image_have_their_defaults(tmp_path):
    session = make(model=network(tmp_path / "sum.mlmodel", ("more", True)))
    session.load(lambda stage: None)
    outputs, _ = session.predict(np.full((1, 5, 4, 3), 40, np.uint8))
    np.testing.assert_array_equal(outputs["sum"].reshape(3, 5, 4), 43)


@pytest.mark.mlx
def test_a_model_that_needs_more_than_an_image_is_refused(tmp_path):
    with pytest.raises(UnsupportedModel, match="more inputs than an image"):
        make(model=network(tmp_path / "sum.mlmodel", ("more", False))).load(lambda stage: None)


@pytest.mark.mlx
def test_a_prediction_is_a_distribution_and_takes_time(session):
    picture = np.full((1, 224, 224, 3), 90, np.uint8)
    start = time.perf_counter_ns()
    outputs, engine_ns = session.predict(picture)
    whole_ns = time.perf_counter_ns() - start
    (probabilities,) = outputs["classLabel_probs"]
    assert probabilities.sum() == pytest.approx(1, abs=1e-3)
    assert engine_ns > 0.5 * whole_ns, "the lazy result was evaluated inside the timed span"


@pytest.mark.mlx
def test_a_batch_has_one_row_a_picture():
    session = make(batch=2)
    session.load(lambda stage: None)
    pictures = np.stack([np.full((224, 224, 3), level, np.uint8) for level in (0, 255)])
    several = session.predict(pictures)[0]["classLabel_probs"]
    single = session.predict(pictures[1:])[0]["classLabel_probs"]
    assert several.shape == (2, 1000)
    np.testing.assert_allclose(several[1], single[0], atol=1e-4)


@pytest.mark.mlx
def test_bfloat16_comes_out_as_something_that_numpy_knows():
    session = make(precision="bf16")
    session.load(lambda stage: None)
    outputs, _ = session.predict(np.zeros((1, 224, 224, 3), np.uint8))
    assert outputs["classLabel_probs"].dtype in (np.float32, np.float16)


@pytest.mark.mlx
def test_memory_is_that_of_the_process_and_of_mlx(session):
    session.predict(np.zeros((1, 224, 224, 3), np.uint8))
    memory = session.memory()
    assert memory.footprint_bytes > memory.mlx_active_bytes > 1_000_000
    assert memory.mlx_peak_bytes >= memory.mlx_active_bytes
    assert memory.mlx_cache_bytes >= 0


@pytest.mark.mlx
@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("[malloc_or_wait] Unable to allocate 99999999 bytes.", EngineOutOfMemory),
        ("[metal::malloc] Attempting to allocate 9 bytes which is greater than the maximum", EngineOutOfMemory),
        ("cudaMallocAsync(&data, size, stream) failed: out of memory", EngineOutOfMemory),
        ("[conv] Invalid input array\nmore", EngineRefused),
    ],
)
def test_what_mlx_throws_becomes_an_error_with_a_name(session, monkeypatch, message, kind):
    def throw(_pixels):
        raise RuntimeError(message)

    monkeypatch.setattr(session, "_model", SimpleNamespace(function=throw, outputs=()))
    with pytest.raises(kind) as caught:
        session.predict(np.zeros((1, 224, 224, 3), np.uint8))
    assert caught.value.fields["model"] == MODEL.name
    assert "more" not in str(caught.value)


@pytest.mark.mlx
def test_without_a_gpu_the_target_is_not_available(monkeypatch):
    import mlx.core as mx

    monkeypatch.setattr(mx, "is_available", lambda device: False)
    with pytest.raises(TargetUnavailable, match="no GPU"):
        make(target="mlx-gpu").load(lambda stage: None)


@pytest.mark.mlx
def test_mlx_that_cannot_be_imported_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlx.core", None)
    with pytest.raises(EngineRefused, match="mlx"):
        make().load(lambda stage: None)


@pytest.mark.mlx
def test_a_corrupt_model_fails_the_lane(tmp_path):
    broken = tmp_path / "broken.mlpackage"
    broken.mkdir()
    with pytest.raises(ModelUnreadable), OpenLane(lane(model=broken)):
        pass


@pytest.mark.mlx
def test_an_engine_process_answers_what_the_model_answers(photo, session):
    with OpenLane(lane()) as engine:
        facts = engine.loaded.facts
        answer = engine.classify(photo, Crop.CENTRE, outputs=True)
        samples = engine.run(photo, Crop.CENTRE, warmup=1, samples=3)
    pixels = prepare(photo, (224, 224), Crop.CENTRE, facts.crop_fraction, facts.interpolation)
    expected = session.predict(pixels[np.newaxis])[0]["classLabel_probs"][0]
    np.testing.assert_allclose(np.frombuffer(answer.probabilities, np.float32), expected, atol=1e-4)
    assert answer.top[0].index == expected.argmax()
    assert answer.outputs["classLabel_probs"].shape == (1, 1000)
    assert (samples["engine_ns"] > 100_000).all()
    assert samples["mlx_peak"].max() > 1_000_000


@pytest.mark.mlx
def test_a_full_disk_under_the_cache_costs_time_and_nothing_else(photo, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNO_CACHE_DIR", str(tmp_path / "file" / "below"))
    with OpenLane(lane()) as engine:
        assert not engine.loaded.from_cache
        assert engine.loaded.cache_note
        assert len(engine.classify(photo, Crop.CENTRE).top) == 5


@pytest.mark.mlx
@pytest.mark.gpu
def test_a_gpu_answers_like_the_cpu(photo):
    import mlx.core as mx

    if not mx.is_available(mx.gpu):
        pytest.skip("no GPU that MLX can use")
    with OpenLane(lane("mlx-gpu")) as gpu, OpenLane(lane("mlx-cpu")) as cpu:
        assert gpu.loaded.device
        answers = [
            np.frombuffer(engine.classify(photo, Crop.CENTRE).probabilities, np.float32) for engine in (gpu, cpu)
        ]
    np.testing.assert_allclose(*answers, atol=0.02)


def test_the_cpu_is_described_with_its_blas(monkeypatch):
    monkeypatch.setattr(mlx_session, "sys", SimpleNamespace(platform="linux"))
    assert describe_cpu(Blas("OpenBLAS", "0.3.21", 2, "/lib")) == "CPU, OpenBLAS 0.3.21 (2 threads)"
    assert describe_cpu(Blas("OpenBLAS", "0.3.21", 1, "/lib")) == "CPU, OpenBLAS 0.3.21 (1 thread)"
    assert describe_cpu(None) == "CPU, MLX's own BLAS"
    monkeypatch.setattr(mlx_session, "sys", SimpleNamespace(platform="darwin"))
    assert describe_cpu(None) == "CPU, Accelerate"


@pytest.mark.parametrize(
    ("precision", "metal", "said"),
    [("fp32", False, "A card, products in TF32"), ("fp16", False, "A card"), ("fp32", True, "A card")],
)
def test_float32_on_cuda_says_how_it_multiplies(precision, metal, said):
    session = make(target="mlx-gpu", precision=precision)
    session._mx = SimpleNamespace(
        gpu="gpu",
        device_info=lambda _kind: {"device_name": "A card"},
        metal=SimpleNamespace(is_available=lambda: metal),
    )
    assert session._describe_gpu() == said
