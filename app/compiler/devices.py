"""Where and in what a compiled model computes."""

from __future__ import annotations

from typing import Literal

import mlx.core as mx

Device = Literal["cpu", "gpu"]
Precision = Literal["stored", "fp32", "fp16", "bf16"]

DEVICES = {"cpu": mx.Device(mx.cpu), "gpu": mx.Device(mx.gpu)}
