"""One of the zoo's benchmark networks in a bare loop: `network_loop.py WHAT NAME THREADS FOLDER`.

WHAT is torch (eager) or onnx (ONNX Runtime on PyTorch's export), in the Python of .venv-models; in our own mlx, the
compiled function, or handwritten, the same architecture with mlx.nn.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from work import serve, timed

logging.getLogger("coremltools").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")  # PyTorch announces that its old exporter will go
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "zoo"))


def main() -> None:
    what, name, threads, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    run: Callable[[], object] = _LOOPS[what](name, threads, folder)
    serve({"what": what, "network": name, "threads": threads}, timed(run))


def _torch(name: str, threads: int, folder: Path) -> Callable[[], object]:
    import torch
    from benchmark_networks import SIZE, network

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    model = network(name)
    pixels = torch.randint(0, 256, (1, SIZE, SIZE, 3), dtype=torch.uint8)
    return lambda: model(pixels.permute(0, 3, 1, 2).float())


def _onnx(name: str, threads: int, folder: Path) -> Callable[[], object]:
    import numpy as np
    import onnxruntime
    import torch
    from benchmark_networks import SIZE, network

    written = io.BytesIO()
    image = torch.rand(1, 3, SIZE, SIZE) * 255
    torch.onnx.export(network(name), (image,), written, input_names=["image"], dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(written.getvalue(), options, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), dtype=np.uint8)
    return lambda: session.run(None, {"image": pixels.transpose(0, 3, 1, 2).astype(np.float32)})


def _mlx(name: str, threads: int, folder: Path) -> Callable[[], object]:
    from app.machine.blas import load_openblas

    load_openblas()  # before mlx
    import mlx.core as mx
    import numpy as np

    from app.compiler import compile_model

    mx.set_default_device(mx.Device(mx.cpu))
    model = compile_model(folder / f"{name}.mlpackage", precision="fp32", device="cpu", cache_folder=folder / "cache")
    pixels = mx.array(np.random.default_rng(0).integers(0, 256, model.inputs[0].shape, dtype=np.uint8))
    return lambda: mx.eval(model.function(pixels))


def _handwritten(name: str, threads: int, folder: Path) -> Callable[[], object]:
    from app.machine.blas import load_openblas

    load_openblas()  # before mlx
    import mlx.core as mx
    import numpy as np
    from handwritten_mlx import NETWORKS

    mx.set_default_device(mx.Device(mx.cpu))
    network = NETWORKS[name]().eval()
    mx.eval(network.parameters())
    pixels = mx.array(np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8))
    return lambda: mx.eval(network(pixels))


_LOOPS = {"torch": _torch, "onnx": _onnx, "mlx": _mlx, "handwritten": _handwritten}


if __name__ == "__main__":
    main()
