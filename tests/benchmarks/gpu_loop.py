"""One of the zoo's benchmark networks on an NVIDIA GPU in a bare loop: `gpu_loop.py WHAT NAME PRECISION BATCH FOLDER`.

WHAT is graph (PyTorch in half precision, channels last, captured once and replayed), in the Python of .venv-models; in
our own mlx, the compiled function, or handwritten, the same architecture with mlx.nn under mx.compile.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from work import serve, timed

logging.getLogger("coremltools").setLevel(logging.ERROR)
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "zoo"))


def main() -> None:
    what, name, precision, batch, folder = sys.argv[1:6]
    run: Callable[[], object] = _LOOPS[what](name, precision, int(batch), Path(folder))
    serve({"what": what, "network": name, "precision": precision, "batch": int(batch)}, timed(run))


def _graph(name: str, precision: str, batch: int, folder: Path) -> Callable[[], object]:
    import torch
    from benchmark_networks import SIZE, network

    if not torch.cuda.is_available():
        raise SystemExit("the PyTorch of .venv-models has no CUDA")
    torch.set_grad_enabled(False)
    torch.backends.cudnn.benchmark = True
    model = network(name).cuda().half().to(memory_format=torch.channels_last)
    pixels = (torch.rand(batch, 3, SIZE, SIZE, device="cuda") * 255).half().to(memory_format=torch.channels_last)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(5):
            model(pixels)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(pixels)

    def run() -> None:
        graph.replay()
        torch.cuda.synchronize()

    return run


def _mlx(name: str, precision: str, batch: int, folder: Path) -> Callable[[], object]:
    import mlx.core as mx
    import numpy as np

    from app.compiler import compile_model

    package, cache = folder / f"{name}.mlpackage", folder / "cache"
    model = compile_model(package, precision=precision, device="gpu", cache_folder=cache)
    shape = (batch, *model.inputs[0].shape[1:])
    pixels = mx.array(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    return lambda: mx.eval(model.function(pixels))


def _handwritten(name: str, precision: str, batch: int, folder: Path) -> Callable[[], object]:
    import mlx.core as mx
    import numpy as np
    from handwritten_mlx import NETWORKS

    network = NETWORKS[name]().eval()
    network.set_dtype(mx.float16 if precision == "stored" else mx.float32)
    mx.eval(network.parameters())
    run = mx.compile(network)
    pixels = mx.array(np.random.default_rng(0).integers(0, 256, (batch, 224, 224, 3), dtype=np.uint8))
    return lambda: mx.eval(run(pixels))


_LOOPS = {"graph": _graph, "mlx": _mlx, "handwritten": _handwritten}


if __name__ == "__main__":
    main()
