"""Each way in which a runtime can find or miss its devices has its answer."""

import sys
import types

import coreml_standin
import pytest

from app.engine.probe_child import look_for_coreml, look_for_mlx


def fake_mlx(*, gpus, product=16.0**3, metal=True):
    """As much of `mlx.core` as is looked at; `product` is what the GPU computes, or what it raises."""

    class Array:
        def sum(self, stream):
            return self

        def item(self):
            if isinstance(product, Exception):
                raise product
            return product

    return types.SimpleNamespace(
        gpu="gpu",
        device_count=lambda kind: gpus,
        ones=lambda shape, stream: Array(),
        matmul=lambda a, b, stream: Array(),
        metal=types.SimpleNamespace(is_available=lambda: metal),
        device_info=lambda kind: {"device_name": "Apple M4"},
    )


@pytest.fixture
def mlx(monkeypatch):
    """Puts a module in the place of `mlx.core`."""

    def use(module):
        monkeypatch.setitem(sys.modules, "mlx.core", module)
        monkeypatch.setattr(sys.modules.setdefault("mlx", types.ModuleType("mlx")), "core", module, raising=False)

    return use


def test_a_metal_gpu_is_named(mlx):
    mlx(fake_mlx(gpus=1))
    assert list(look_for_mlx())[-1] == {"gpu": "Apple M4", "backend": "metal"}


def test_what_is_not_metal_is_cuda(mlx):
    mlx(fake_mlx(gpus=1, metal=False))
    assert list(look_for_mlx())[-1]["backend"] == "cuda"


def test_a_build_for_metal_without_a_device_has_no_gpu(mlx):
    mlx(fake_mlx(gpus=0))
    assert list(look_for_mlx()) == [{"gpu": None, "backend": "cpu"}]


@pytest.mark.parametrize(
    ("product", "cause"), [(0.0, "a product of two matrices is wrong"), (RuntimeError("no kernel"), "no kernel")]
)
def test_a_gpu_that_cannot_compute_is_none(mlx, product, cause):
    mlx(fake_mlx(gpus=1, product=product))
    before, after = look_for_mlx()
    assert before == {"gpu": None, "backend": "cpu"}, "told before the GPU is touched"
    assert after == {"gpu": None, "backend": "cpu", "gpu_error": cause}


def test_mlx_that_is_not_installed_says_so(mlx):
    mlx(None)
    (found,) = look_for_mlx()
    assert "mlx" in found["error"]


def test_a_mac_with_a_neural_engine(monkeypatch):
    coreml_standin.install(monkeypatch, coreml_standin.Native((), (1, 1)))
    assert list(look_for_coreml()) == [{"gpu": True, "neural_engine": True, "neural_engine_cores": 16}]


def test_a_virtual_mac_without_one(monkeypatch):
    native = coreml_standin.Native((), (1, 1))
    native.neural_engine_cores = None
    coreml_standin.install(monkeypatch, native)
    assert list(look_for_coreml()) == [{"gpu": False, "neural_engine": False, "neural_engine_cores": None}]


@pytest.mark.parametrize(("machine", "has_one"), [("arm64", True), ("x86_64", False)])
def test_a_mac_that_is_too_old_to_be_asked(monkeypatch, machine, has_one):
    native = coreml_standin.Native((), (1, 1))
    native.macos = (13, 6)
    coreml_standin.install(monkeypatch, native)
    monkeypatch.setattr("app.engine.probe_child.platform.machine", lambda: machine)
    assert list(look_for_coreml()) == [{"gpu": True, "neural_engine": has_one}]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has the native half of coremltools")
def test_coremltools_without_its_native_half_says_so():
    (found,) = look_for_coreml()
    assert "native library" in found["error"]
