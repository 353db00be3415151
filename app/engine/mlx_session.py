"""A model on MLX: the Core ML file lowered to one MLX function, on the GPU or the CPU."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.compiler.facts import require_one_image
from app.engine.messages import Load, MemoryReading
from app.engine.session import LoadFacts, photo_facts
from app.engine.targets import NO_MLX_GPU, target
from app.errors import AppError, EngineOutOfMemory, EngineRefused, TargetUnavailable
from app.i18n import _
from app.machine.blas import Blas, load_openblas
from app.machine.footprint import footprint_bytes

if TYPE_CHECKING:
    import mlx.core as mx

    from app.compiler import CompiledModel

log = logging.getLogger(__name__)


class MlxSession:
    """One compiled model. MLX is imported by `load`, because OpenBLAS has to be there before it."""

    def __init__(self, load: Load) -> None:
        self._lane = load.lane
        self._target = target(load.lane.target)
        self._cache_folder = Path(load.cache_folder)
        self._mx: Any = None
        self._model: CompiledModel | None = None
        self._arguments: list[Any] = []
        """What the function takes, None in the place of the image; the rest are optional inputs at their defaults."""

    def load(self, report_stage: Callable[[str], None]) -> LoadFacts:
        """See Session. Raises TargetUnavailable, EngineRefused, and what compile_model raises."""
        on_gpu = self._target.requests == "gpu"
        report_stage("loading")
        blas = load_openblas() if sys.platform == "linux" and not on_gpu else None
        try:
            import mlx.core as mx

            from app.compiler import compile_model
        except ImportError as error:
            raise self._refused(error) from error
        if on_gpu and not mx.is_available(mx.gpu):
            raise TargetUnavailable(target=self._target.shown_name, reason=NO_MLX_GPU)
        self._mx = mx
        mx.set_default_device(mx.Device(mx.gpu if on_gpu else mx.cpu))
        report_stage("compiling")
        try:
            self._model = compile_model(
                self._lane.model,
                precision=self._lane.precision,
                device="gpu" if on_gpu else "cpu",
                cache_folder=self._cache_folder,
                accept=require_one_image,
            )
            self._arguments = self._prepared(self._model)
        except (RuntimeError, ValueError) as error:
            raise self._refused(error) from error
        return LoadFacts(
            model=photo_facts(self._model.facts),
            from_cache=self._model.from_cache,
            cache_note=self._model.cache_note,
            device=self._describe_gpu() if on_gpu else describe_cpu(blas),
            device_is_certain=True,
        )

    def predict(self, batch_nhwc: np.ndarray) -> tuple[dict[str, np.ndarray], int]:
        """See Session. The engine's time lasts from the call of the function to the end of `mx.eval`."""
        assert self._model is not None, "loaded first"
        mx, model = self._mx, self._model
        try:
            arguments = [mx.array(batch_nhwc) if given is None else given for given in self._arguments]
            start = time.perf_counter_ns()
            results = model.function(*arguments)
            mx.eval(results)
            engine_ns = time.perf_counter_ns() - start
        except (RuntimeError, ValueError) as error:
            raise self._refused(error) from error
        return {port.name: _as_numpy(mx, one) for port, one in zip(model.outputs, results, strict=True)}, engine_ns

    def memory(self) -> MemoryReading:
        """See Session."""
        mx = self._mx
        return MemoryReading(
            footprint_bytes=footprint_bytes(),
            mlx_active_bytes=mx.get_active_memory(),
            mlx_cache_bytes=mx.get_cache_memory(),
            mlx_peak_bytes=mx.get_peak_memory(),
        )

    def close(self) -> None:
        """See Session."""
        self._model = None

    def _prepared(self, model: CompiledModel) -> list[Any]:
        image = require_one_image(model.facts).name
        port = next(port for port in model.inputs if port.name == image)
        dtype = np.float16 if port.dtype == "fp16" else np.uint8
        black = np.zeros((self._lane.batch, *port.shape[1:]), dtype)
        arguments = zip(model.inputs, model.arguments(**{image: black}), strict=True)
        return [None if port.name == image else self._mx.array(array) for port, array in arguments]

    def _describe_gpu(self) -> str:
        """ "NVIDIA H200, products in TF32": on CUDA MLX multiplies float32 with 10 bits of fraction."""
        name = str(self._mx.device_info(self._mx.gpu)["device_name"])
        rounded = self._lane.precision == "fp32" and not self._mx.metal.is_available()
        return _("{device}, products in TF32").format(device=name) if rounded else name

    def _refused(self, error: Exception) -> AppError:
        """What MLX's own exceptions mean; it has no type of its own for a lack of memory."""
        log.warning("MLX: %r", error)
        cause = str(error).strip() or repr(error)
        named = {"target": self._target.shown_name, "model": Path(self._lane.model).name}
        if any(sign in cause.lower() for sign in _OUT_OF_MEMORY):
            return EngineOutOfMemory(**named)
        return EngineRefused(**named, cause=cause.splitlines()[0])


# As in "[malloc] Unable to allocate 8 bytes.", "[metal::malloc] Attempting to allocate …", "cudaMalloc: out of memory".
_OUT_OF_MEMORY = ("unable to allocate", "attempting to allocate", "out of memory", "insufficient memory")


def describe_cpu(blas: Blas | None) -> str:
    """ "CPU, OpenBLAS 0.3.21 (2 threads)"; on macOS MLX is linked to Accelerate. `blas`: loaded before MLX, if any."""
    if sys.platform == "darwin":
        return "CPU, Accelerate"
    if blas is None:
        return "CPU, MLX's own BLAS"
    return f"CPU, {blas.name} {blas.version} ({blas.threads} {'thread' if blas.threads == 1 else 'threads'})"


def _as_numpy(mx: Any, array: mx.array) -> np.ndarray:
    """A NumPy copy; bfloat16, which NumPy does not know, becomes float32."""
    return np.array(array.astype(mx.float32) if array.dtype == mx.bfloat16 else array)
