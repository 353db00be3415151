"""PyTorch eager on the original weights: `torch_loop.py THREADS`, run by the Python of .venv-models."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from work import serve, timed

logging.getLogger("coremltools").setLevel(logging.ERROR)  # it warns of a torch that is newer than itself
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "packaging"))

from efficientnet_lite import LITE0, Classifier, load_network  # noqa: E402


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    network = Classifier(load_network(LITE0)).eval()
    pixels = torch.randint(0, 256, (1, LITE0.size, LITE0.size, 3), dtype=torch.uint8)

    def run() -> object:
        return network(pixels.permute(0, 3, 1, 2).float())

    with torch.inference_mode():
        serve({"torch": torch.__version__, "threads": torch.get_num_threads()}, timed(run))


if __name__ == "__main__":
    main()
