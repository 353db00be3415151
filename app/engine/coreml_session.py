"""A model on Core ML, through coremltools 9 on macOS.

Compute units are a request; where the operations really ran is not known here. coremltools holds the GIL while it
compiles, loads and predicts, so during a load this process cannot even notice that its client is gone: cancelling means
killing it.
Core ML points stdout at /dev/null while it compiles, which is why nothing of ours goes through stdout.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.compiler import read_model_facts
from app.engine import coreml_cache
from app.engine.messages import Load, MemoryReading, ModelFacts
from app.engine.session import LoadFacts, photo_facts
from app.engine.targets import NEEDS_MACOS, target
from app.errors import AppError, EngineRefused, TargetUnavailable, UnsupportedModel
from app.i18n import N_
from app.machine.footprint import footprint_bytes

log = logging.getLogger(__name__)

_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}
"""Colour of an image input -> the mode of the PIL image that coremltools wants for it (coremltools/models/model.py)."""


class CoremlSession:
    """One compiled model and the inputs that it is fed with."""

    def __init__(self, load: Load) -> None:
        self._lane = load.lane
        self._path = Path(load.lane.model)
        self._target = target(load.lane.target)
        self._cache_folder = Path(load.cache_folder)
        self._facts: ModelFacts | None = None
        self._model: Any = None
        self._proxy: Any = None
        # Core ML lets go of inputs about a second after the call, on a thread of its own and without the GIL
        # (apple/coremltools#2827). So that it never holds the last reference, one set of inputs lives with the model.
        self._inputs: list[dict[str, Any]] = []
        self._pictures: list[Image.Image] = []
        self._class_keys: list[Any] | None = None
        self._has_own_clock = True

    def load(self, report_stage: Callable[[str], None]) -> LoadFacts:
        """See Session. Raises TargetUnavailable, EngineRefused, and what reading a model raises."""
        if sys.platform != "darwin":
            raise TargetUnavailable(target=self._target.shown_name, reason=NEEDS_MACOS)
        report_stage("reading")
        try:
            import coremltools
        except Exception as error:
            raise self._refused(error) from error
        self._facts = facts = self._read_facts()
        from_cache, note = self._open(coremltools, facts, report_stage)
        self._prepare_inputs(facts)
        return LoadFacts(
            model=facts,
            from_cache=from_cache,
            cache_note=note,
            device=f"requested {self._target.requests}",
            device_is_certain=self._target.requests == "CPU_ONLY",  # there is nothing else it could fall back to
        )

    def predict(self, batch_nhwc: np.ndarray) -> tuple[dict[str, np.ndarray], int]:
        """See Session. The engine's time is Core ML's own: the framework's call without the hand-over of pictures."""
        assert self._facts is not None, "loaded first"
        name = self._facts.image.name
        for inputs, picture, image_hwc in zip(self._inputs, self._pictures, batch_nhwc, strict=True):
            pixels = image_hwc if image_hwc.shape[2] == 3 else image_hwc[:, :, 0]
            picture.paste(Image.fromarray(pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)))
            inputs[name] = picture  # predict() edits the dict that it is given
        try:
            start = time.perf_counter_ns()
            results = self._model.predict(self._inputs if len(self._inputs) > 1 else self._inputs[0])
            wall_ns = time.perf_counter_ns() - start
        except MemoryError:
            raise
        except Exception as error:
            raise self._refused(error) from error
        every = results if isinstance(results, list) else [results]
        return self._arrays(every), self._engine_ns(wall_ns)

    def memory(self) -> MemoryReading:
        """See Session. What system services hold for the Neural Engine is not in it."""
        return MemoryReading(footprint_bytes=footprint_bytes())

    def close(self) -> None:
        """See Session."""
        self._model = self._proxy = None

    # --- loading -----------------------------------------------------------------------------------------------------

    def _read_facts(self) -> ModelFacts:
        facts = photo_facts(read_model_facts(self._path))
        if facts.probabilities is not None and not facts.labels:
            raise UnsupportedModel(model=facts.name, cause=N_("its class labels cannot be read"))
        return facts

    def _open(
        self, coremltools: Any, facts: ModelFacts, report_stage: Callable[[str], None]
    ) -> tuple[bool, str | None]:
        """Load from the cache, through the cache, or past it; whether it was there, and why it could not be used."""
        compiled = coreml_cache.compiled_path(self._cache_folder, facts.digest, coremltools.__version__)
        if compiled.is_dir():
            report_stage("loading")
            try:
                self._open_compiled(coremltools, compiled)
                return True, None
            except AppError:
                log.warning("%s cannot be loaded and is compiled again", compiled)
                coreml_cache.remove(compiled)
        report_stage("compiling")
        try:
            coreml_cache.compile_into(coremltools, self._path, compiled)
        except OSError as error:
            self._open_package(coremltools)
            return False, error.strerror or str(error)
        except Exception as error:
            raise self._refused(error) from error
        report_stage("loading")
        self._open_compiled(coremltools, compiled)
        return False, None

    def _open_compiled(self, coremltools: Any, compiled: Path) -> None:
        # CompiledMLModel hands the path to the framework as it is, and takes only str.
        try:
            self._model = coremltools.models.CompiledMLModel(
                str(compiled.absolute()), compute_units=self._units(coremltools)
            )
        except Exception as error:
            raise self._refused(error) from error
        self._proxy = self._model._proxy

    def _open_package(self, coremltools: Any) -> None:
        """Without a cache: MLModel compiles into the system's temporary folder, for the life of the object.

        It is given a copy, because coremltools writes the Manifest.json of every package that it opens anew, and the
        package may lie in the application's own sealed folder.
        """
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self._path.name
            try:
                shutil.copytree(self._path, copy) if self._path.is_dir() else shutil.copyfile(self._path, copy)
            except OSError as error:
                raise self._refused(error.strerror or str(error)) from error
            self._open_copy(coremltools, copy)

    def _open_copy(self, coremltools: Any, copy: Path) -> None:
        try:
            self._model = coremltools.models.MLModel(str(copy), compute_units=self._units(coremltools))
        except Exception as error:
            raise self._refused(error) from error
        self._proxy = self._model.__proxy__
        if self._proxy is None:  # MLModel warns where it should raise
            raise self._refused(self._model._framework_error or "Core ML did not load it")

    def _units(self, coremltools: Any) -> Any:
        return coremltools.ComputeUnit[self._target.requests]

    def _prepare_inputs(self, facts: ModelFacts) -> None:
        size = (facts.image.width, facts.image.height)
        self._pictures = [Image.new(_MODES[facts.image.colour], size) for _ in range(self._lane.batch)]
        self._inputs = [{facts.image.name: picture} for picture in self._pictures]

    # --- results -----------------------------------------------------------------------------------------------------

    def _arrays(self, results: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        """Outputs as arrays, batch first. A classifier's winning label is no array and is left out."""
        arrays = {}
        for name, first in results[0].items():
            if isinstance(first, dict):
                arrays[name] = np.stack([self._in_label_order(result[name]) for result in results])
            elif isinstance(first, np.ndarray | Image.Image):
                parts = [np.asarray(result[name]) for result in results]
                has_batch = parts[0].ndim > 1 and len(parts[0]) == 1
                arrays[name] = np.concatenate(parts) if has_batch else np.stack(parts)
        return arrays

    def _in_label_order(self, by_label: dict[Any, float]) -> np.ndarray:
        """Probabilities in the order of the model's labels; Core ML gives them by label, which may be a number."""
        if self._class_keys is None:
            assert self._facts is not None, "loaded first"
            keys = {str(key): key for key in by_label}
            missing = [label for label in self._facts.labels if label not in keys]
            if missing:
                raise UnsupportedModel(model=self._facts.name, cause=f"no probability for {missing[0]}")
            self._class_keys = [keys[label] for label in self._facts.labels]
        return np.array([by_label[key] for key in self._class_keys], np.float32)

    def _engine_ns(self, wall_ns: int) -> int:
        """Duration of the last prediction as Core ML tells it; the span around the call where it does not tell."""
        # CompiledMLModel does not offer it, but the object behind it does.
        tell = getattr(self._proxy, "get_last_predict_duration_in_nano_seconds", None)
        own_ns = tell() if tell is not None else None
        if own_ns is not None:
            return int(own_ns)
        if self._has_own_clock:
            self._has_own_clock = False
            log.warning("Core ML tells no duration; engine times include the hand-over of the picture")
        return wall_ns

    def _refused(self, error: Exception | str) -> AppError:
        # coremltools raises plain Exception, ValueError, RuntimeError and AttributeError without a system.
        lines = str(error).strip().splitlines()
        cause = lines[0] if lines else repr(error)
        log.warning("Core ML: %r", error)
        return EngineRefused(target=self._target.shown_name, model=self._path.name, cause=cause)
