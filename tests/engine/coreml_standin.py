"""The native half of coremltools 9.0 on macOS, as nasty as it is documented, under coremltools' own Python half.

What coremltools does in Python (checks of types and modes, warnings in place of errors, `shutil.move` into an existing
folder) is the real thing, on Linux too. Replaced is only `_MLModelProxy`, the class that is written in Objective-C++.
Sources, at tag 9.0 of apple/coremltools, file `coremlpython/CoreMLPython.mm` unless another is named:

- `compileModel` writes a `.mlmodelc` into the per-user temporary folder, and points descriptor 1 at /dev/null
  meanwhile (lines 436-480).
- The constructor compiles a `.mlpackage` or `.mlmodel`, takes a `.mlmodelc` as it is, expands no `~`, and raises
  RuntimeError; what it compiled itself is deleted with the object (436-480).
- `predict` takes PIL images for image inputs and refuses another size with RuntimeError
  (`CoreMLPythonUtils.mm`, 211-338).
- Core ML lets go of bound inputs about a second after the call on a thread of its own, which has crashed when the
  wrapper was their last owner (apple/coremltools#2827).
- The duration of the last prediction is None before there was one (541-560, and models/model.py:1117-1156).
- The available devices can be asked for from macOS 14 on; below, it is a RuntimeError (`models/model.py`, 1093-1114).
- Class probabilities come as a dict in no particular order; with integer labels its keys are integers.
"""

import contextlib
import os
import random
import shutil
import sys
import tempfile
import types
import weakref
from pathlib import Path

from PIL import Image

NEEDED = "coremldata.bin"
"""A compiled model without this file is damaged."""


class Native:
    """What the stand-in is told and what it remembers, shared by all proxies of a test."""

    def __init__(self, labels, size, mode="RGB"):
        self.labels, self.size, self.mode = labels, size, mode
        self.input_name, self.probabilities_name, self.label_name = "image", "classLabel_probs", "classLabel"
        self.newest_specification = 9
        self.compiled = []
        self.loaded = []
        self.fed = []
        """A weak reference to each input that was ever given."""
        self.batches = []
        self.duration_ns = 1_234_567
        self.compile_error = self.load_error = self.predict_error = None
        self.while_compiling = lambda: None
        self.neural_engine_cores = 16
        self.macos = (15, 1)

    def living_inputs(self):
        """Inputs that are still alive; Core ML may let go of any of them from its own thread at any time."""
        return {id(one()) for one in self.fed if one() is not None}


def make_proxy(native):
    """The class that takes the place of `_MLModelProxy`."""

    class MLModelProxy:
        @staticmethod
        def maximum_supported_specification_version():
            return native.newest_specification

        @staticmethod
        def compileModel(path):
            assert isinstance(path, str)
            with _stdout_is_lost():
                os.write(1, b"what is written to descriptor 1 while Core ML compiles is lost\n")
                if not Path(path).exists():
                    raise RuntimeError(f"Error compiling model: the model at {path} does not exist.")
                if native.compile_error:
                    raise RuntimeError(native.compile_error)
                compiled = Path(tempfile.mkdtemp()) / (Path(path).stem + ".mlmodelc")
                compiled.mkdir()
                (compiled / NEEDED).write_bytes(b"compiled")
                (compiled / "weights").mkdir()
                native.compiled.append(path)
                native.while_compiling()
            return str(compiled)

        @staticmethod
        def get_available_compute_devices():
            if native.macos < (14,):
                raise RuntimeError("get_available_compute_devices is only supported on macOS 14.0 and later.")
            return _devices(native)

        def __init__(self, path, compute_units, function_name, optimization_hints, asset):
            self._own = None
            if not path.endswith(".mlmodelc"):
                self._own = path = self.compileModel(path)
            native.loaded.append((path, compute_units))
            if native.load_error:
                raise RuntimeError(native.load_error)
            if not (Path(path) / NEEDED).is_file():
                raise RuntimeError(f"Unable to load model: {path}. A valid manifest does not exist.")
            self._duration_ns = None

        def __del__(self):
            if self._own:
                shutil.rmtree(Path(self._own).parent, ignore_errors=True)

        def predict(self, data, state):
            assert type(data) is dict and state is None  # noqa: PT018
            self._duration_ns = native.duration_ns
            return self._one(data)

        def batchPredict(self, data):
            native.batches.append(len(data))
            self._duration_ns = native.duration_ns
            return [self._one(one) for one in data]

        def get_last_predict_duration_in_nano_seconds(self):
            return self._duration_ns

        def _one(self, data):
            if native.predict_error:
                raise RuntimeError(native.predict_error)
            picture = data[native.input_name]
            if not isinstance(picture, Image.Image):
                raise RuntimeError("value type not convertible")
            if picture.size != native.size:
                raise RuntimeError(f"MultiArray shape or image size {picture.size} does not match {native.size}")
            assert picture.mode == native.mode
            native.fed.append(weakref.ref(picture))
            brightness = sum(picture.convert("L").tobytes()) // (picture.width * picture.height)
            probabilities = dict.fromkeys(native.labels, 0.5 / len(native.labels))
            probabilities[native.labels[brightness % len(native.labels)]] = 0.5
            shuffled = list(probabilities.items())
            random.shuffle(shuffled)
            best = max(probabilities, key=probabilities.get)
            return {native.probabilities_name: dict(shuffled), native.label_name: best}

    return MLModelProxy


def _devices(native):
    """The devices of a Mac, of coremltools' own classes."""
    from coremltools.models import compute_device

    cpu = object.__new__(compute_device.MLCPUComputeDevice)
    if native.neural_engine_cores is None:
        return [cpu]
    engine = object.__new__(compute_device.MLNeuralEngineComputeDevice)
    engine.__proxy__ = types.SimpleNamespace(get_total_core_count=lambda: native.neural_engine_cores)
    return [cpu, object.__new__(compute_device.MLGPUComputeDevice), engine]


@contextlib.contextmanager
def _stdout_is_lost():
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def install(monkeypatch, native):
    """Put the stand-in under coremltools for the length of a test, on a system that calls itself macOS 15.1."""
    from coremltools.models import _compiled_model, model, utils

    proxy = make_proxy(native)
    library = types.ModuleType("coremltools.libcoremlpython")
    library._MLModelProxy = proxy
    monkeypatch.setitem(sys.modules, "coremltools.libcoremlpython", library)
    for module in (model, _compiled_model):
        monkeypatch.setattr(module, "_MLModelProxy", proxy)
    for module in (model, _compiled_model, utils):
        monkeypatch.setattr(module, "_macos_version", lambda: native.macos)
    for module in (model, utils):
        monkeypatch.setattr(module, "_is_macos", lambda: True)
