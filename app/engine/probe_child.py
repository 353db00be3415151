"""Looks for one runtime's devices: `python -m app.engine.probe_child mlx|coreml --fd N`.

A process of its own, because a runtime that finds its hardware broken may take the process down. Writes JSON objects to
the descriptor, one a line; a later one replaces the earlier.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterator
from typing import Any

Found = dict[str, Any]


def look_for_mlx() -> Iterator[Found]:
    """`error` when MLX cannot be imported, else `gpu` (device name or None), `backend`, and `gpu_error`."""
    try:
        import mlx.core as mx
    except Exception as error:
        yield {"error": str(error) or repr(error)}
        return
    without: Found = {"gpu": None, "backend": "cpu"}
    yield without  # stays if the GPU takes the process down
    # Each of them opens the device; mx.metal.is_available() only tells how MLX was built.
    if mx.device_count(mx.gpu) == 0:
        return
    try:
        ones = mx.ones((16, 16), stream=mx.gpu)
        if mx.matmul(ones, ones, stream=mx.gpu).sum(stream=mx.gpu).item() != 16**3:
            yield without | {"gpu_error": "a product of two matrices is wrong"}
            return
    except Exception as error:
        yield without | {"gpu_error": str(error) or repr(error)}
        return
    backend = "metal" if mx.metal.is_available() else "cuda"
    yield {"gpu": str(mx.device_info(mx.gpu)["device_name"]), "backend": backend}


def look_for_coreml() -> Iterator[Found]:
    """`error` when coremltools cannot be imported, else `gpu`, `neural_engine` and `neural_engine_cores`.

    Below macOS 14 Core ML cannot be asked. Every Apple chip has both units; how many cores is then not known.
    """
    try:
        import coremltools
        from coremltools.models.compute_device import MLGPUComputeDevice, MLNeuralEngineComputeDevice
        from coremltools.models.model import _MLModelProxy
    except Exception as error:
        yield {"error": str(error) or repr(error)}
        return
    if _MLModelProxy is None:  # coremltools only logs that
        yield {"error": "coremltools cannot load its native library"}
        return
    try:
        devices = coremltools.models.MLModel.get_available_compute_devices()
    except RuntimeError:
        yield {"gpu": True, "neural_engine": platform.machine() == "arm64"}
        return
    cores = [one.total_core_count for one in devices if isinstance(one, MLNeuralEngineComputeDevice)]
    gpu = any(isinstance(one, MLGPUComputeDevice) for one in devices)
    yield {"gpu": gpu, "neural_engine": bool(cores), "neural_engine_cores": cores[0] if cores else None}


def main(arguments: list[str] | None = None) -> None:
    """Look, answer, end."""
    parser = argparse.ArgumentParser(prog="python -m app.engine.probe_child")
    parser.add_argument("runtime", choices=("mlx", "coreml"))
    parser.add_argument("--fd", type=int, required=True)
    given = parser.parse_args(arguments)
    answer = os.fdopen(given.fd, "w", encoding="utf-8")
    look = look_for_mlx if given.runtime == "mlx" else look_for_coreml
    for found in look():
        print(json.dumps(found), file=answer, flush=True)
    os._exit(0)  # the answer is out; nothing that the runtimes do on their way down can spoil it


if __name__ == "__main__":
    main()
