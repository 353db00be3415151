"""Rows: five networks compiled for MLX on the CPU, fp32, batch 1, against PyTorch, ONNX Runtime and mlx.nn by hand."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from pytorch import PYTHON
from rows import Row, measured, not_measured
from turns import ROOT, Worker, in_turns, ratio_row

NETWORKS = {
    "lite0": "EfficientNet-Lite0",
    "mobilenetv3": "MobileNetV3-Large",
    "resnet50": "ResNet-50",
    "convnext_t": "ConvNeXt-T",
    "vit_s16": "ViT-S/16",
}
THREADS = 2
EACH, MEAN, HANDWRITTEN = 1.5, 1.0, 0.9
FIRST_S, CACHED_S = 2.5, 0.3
MEMORY_MB = 150
ROUNDS, SAMPLES, WARMUP = 12, 5, 5
LOOP = str(ROOT / "tests" / "benchmarks" / "network_loop.py")
FOLDER = ROOT / ".zoo" / "benchmark"


def measure() -> list[Row]:
    """A row for each network and each of the other two, the mean, and what starting costs."""
    problem = built()
    if problem:
        return [not_measured("cpu-networks", "MLX CPU against PyTorch eager, five networks", problem)]
    rows: list[Row] = []
    ratios = []
    for name, shown in NETWORKS.items():
        row = _against("torch", "PyTorch eager", name, shown, EACH)
        rows += [row, _against("onnx", "ONNX Runtime", name, shown, None)]
        ratios.append(row.value)
    if all(ratios):
        mean = math.exp(sum(math.log(ratio) for ratio in ratios if ratio) / len(ratios))
        rows.append(measured("cpu-mean", "geometric mean of the five against PyTorch eager", mean, "×", MEAN))
    rows += [
        _against("handwritten", "mlx.nn by hand", name, NETWORKS[name], HANDWRITTEN) for name in ("lite0", "vit_s16")
    ]
    return rows + _starts()


def built() -> str | None:
    """Have the zoo write the packages; what is wrong if it cannot."""
    if not PYTHON.exists():
        return "run “make zoo” first: it sets up PyTorch"
    build = [str(PYTHON), str(ROOT / "tests" / "zoo" / "build.py"), "--benchmark", str(FOLDER)]
    done = subprocess.run(build, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def _against(other: str, who: str, name: str, shown: str, bound: float | None) -> Row:
    row, what = f"cpu-{name}-{other}", f"MLX CPU, {shown} fp32 batch 1, against {who}, threads: {THREADS}"
    arguments = (name, str(THREADS), str(FOLDER))
    environment = {"OPENBLAS_NUM_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    try:
        ours = Worker(LOOP, "mlx", *arguments, environment=environment)
        python = sys.executable if other == "handwritten" else str(PYTHON)
        theirs = Worker(LOOP, other, *arguments, python=python, environment=environment)
    except RuntimeError as error:
        return not_measured(row, what, str(error))
    with ours, theirs:
        a, b = in_turns(ours.block, theirs.block, rounds=ROUNDS, samples=SAMPLES, warmup=WARMUP)
    ratio, detail = ratio_row(a, b)
    note = f"{median(a) / 1e6:.1f} ms against {median(b) / 1e6:.1f} ms"
    return measured(row, what, ratio.ratio, "×", bound, low=ratio.low, high=ratio.high, detail=detail, note=note)


_START = """
import json, sys, time, tempfile
from app.machine.blas import load_openblas
from app.machine.footprint import footprint_bytes
load_openblas()
import mlx.core as mx, numpy as np
mx.set_default_device(mx.Device(mx.cpu))
mx.eval(mx.ones((64, 64)) @ mx.ones((64, 64)))
empty = footprint_bytes()
start = time.perf_counter()
from app.compiler import compile_model
model = compile_model(sys.argv[1], precision="fp32", device="cpu", cache_folder=sys.argv[2])
seconds = time.perf_counter() - start
pixels = mx.array(np.zeros(model.inputs[0].shape, np.uint8))
peak = 0
for _ in range(30):
    mx.eval(model.function(pixels))
    peak = max(peak, footprint_bytes() or 0)
facts = {"seconds": seconds, "cached": model.from_cache, "coremltools": "coremltools" in sys.modules}
print(json.dumps({**facts, "memory": peak - empty}))
"""


def _starts() -> list[Row]:
    """Lite0 compiled with an empty cache, then from it, each in a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-c", _START, str(FOLDER / "lite0.mlpackage"), cache]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": str(THREADS)}
        answers = []
        for _run in range(4):
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(cache))
            if done.returncode:
                return [not_measured("cpu-start", "read and compile Lite0", done.stderr.strip().splitlines()[-1])]
            answers.append(json.loads(done.stdout.splitlines()[-1]))
    first, *cached = answers
    later = min(cached, key=lambda answer: answer["seconds"])
    return [
        measured("cpu-first", "read and compile EfficientNet-Lite0, first time", first["seconds"], "s", FIRST_S),
        measured("cpu-cached", "the same from the cache", later["seconds"], "s", CACHED_S, detail=later),
        measured("cpu-coremltools", "starts from the cache that import coremltools", int(later["coremltools"]), "", 0),
        measured(
            "cpu-memory",
            "memory while Lite0 runs on the CPU, over Python with mlx loaded",
            later["memory"] / 1e6,
            "MB",
            MEMORY_MB,
        ),
    ]
