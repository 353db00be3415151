"""Compress some networks of the zoo in every way that coremltools has.

    .venv-models/bin/python tests/zoo/compress.py

`make zoo` runs it after build.py. For each variant .zoo/compressed-KEY holds NAME.mlpackage and, decompressed by
coremltools itself, NAME-expanded.mlpackage.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

# First, for it silences what the imports below print.
from build import ZOO, ct  # isort: skip
from coremltools.optimize.coreml import (
    OpLinearQuantizerConfig,
    OpMagnitudePrunerConfig,
    OpPalettizerConfig,
    OpThresholdPrunerConfig,
    OptimizationConfig,
    decompress_weights,
    linear_quantize_weights,
    palettize_weights,
    prune_weights,
)

SMALLEST = 512
"""Elements of a weight from which on it is compressed; coremltools' own 2048 would leave most of these networks out."""


@dataclass(frozen=True)
class Variant:
    """One way to compress. Some need the operations of iOS 18, and so a network that was converted for it."""

    name: str
    network: str
    package: str
    make: Callable[[Any], Any]


def main() -> int:
    index = json.loads((ZOO / "index.json").read_text(encoding="utf-8"))
    key = hashlib.sha256(Path(__file__).read_bytes() + version("coremltools").encode())
    for variant in VARIANTS:
        key.update(index[variant.network].encode())
    folder = ZOO / f"compressed-{key.hexdigest()[:12]}"
    if not folder.exists():
        for old in ZOO.glob("compressed-*"):
            shutil.rmtree(old)
        partial = folder.with_suffix(".partial")
        partial.mkdir()
        for variant in VARIANTS:
            source = ZOO / index[variant.network] / variant.package
            made = variant.make(ct.models.MLModel(str(source), skip_model_load=True))
            made.save(str(partial / f"{variant.name}.mlpackage"))
            # Read again, for some of the ways above leave a model behind that refers to arrays in memory.
            again = ct.models.MLModel(str(partial / f"{variant.name}.mlpackage"), skip_model_load=True)
            decompress_weights(again).save(str(partial / f"{variant.name}-expanded.mlpackage"))
            print(variant.name, flush=True)
        partial.rename(folder)
    (ZOO / "compressed.json").write_text(json.dumps({"folder": folder.name}) + "\n", encoding="utf-8")
    return 0


def _palettes(**settings: Any) -> Callable[[Any], Any]:
    config = OptimizationConfig(OpPalettizerConfig(weight_threshold=SMALLEST, **settings))
    return lambda model: palettize_weights(model, config)


def _steps(**settings: Any) -> Callable[[Any], Any]:
    config = OptimizationConfig(OpLinearQuantizerConfig(weight_threshold=SMALLEST, **settings))
    return lambda model: linear_quantize_weights(model, config)


def _sparse(**settings: Any) -> Callable[[Any], Any]:
    config = OptimizationConfig(OpMagnitudePrunerConfig(weight_threshold=SMALLEST, **settings))
    return lambda model: prune_weights(model, config)


def _both(first: Callable[[Any], Any], second: Callable[..., Any], config: Any) -> Callable[[Any], Any]:
    """Compress what is compressed already."""
    return lambda model: second(first(model), OptimizationConfig(config), joint_compression=True)


OLD, NEW, TOKENS = (
    ("mobilenet_v2", "fp16.mlpackage"),
    ("convnext", "fp16.mlpackage"),
    ("vit_ios18", "fp32.mlpackage"),
)
VARIANTS = (
    # Operations of iOS 16: constexpr_lut_to_dense, constexpr_affine_dequantize, constexpr_sparse_to_dense.
    Variant("palette4", *OLD, _palettes(mode="kmeans", nbits=4)),
    Variant("palette6", *OLD, _palettes(mode="uniform", nbits=6)),
    Variant("palette8", *OLD, _palettes(mode="uniform", nbits=8)),
    Variant("int8", *OLD, _steps(mode="linear_symmetric", dtype="int8")),
    Variant("uint8_with_zero_point", *OLD, _steps(mode="linear", dtype="uint8")),
    Variant("int8_whole_tensor", *OLD, _steps(mode="linear_symmetric", dtype="int8", granularity="per_tensor")),
    Variant("sparse", *OLD, _sparse(target_sparsity=0.7)),
    # Operations of iOS 18: constexpr_blockwise_shift_scale, grouped and vector palettes, joint forms.
    Variant("palette2_grouped", *NEW, _palettes(nbits=2, granularity="per_grouped_channel", group_size=8)),
    Variant("palette3_uniform", *TOKENS, _palettes(mode="uniform", nbits=3)),
    Variant(
        "palette4_scaled",
        *NEW,
        _palettes(nbits=4, granularity="per_grouped_channel", group_size=8, enable_per_channel_scale=True),
    ),
    Variant("palette4_vectors", *TOKENS, _palettes(nbits=4, cluster_dim=2)),
    Variant(
        "palette8_grouped_by_input", *TOKENS, _palettes(nbits=8, granularity="per_grouped_channel", channel_axis=1)
    ),
    Variant("int4_blocks", *TOKENS, _steps(dtype="int4", granularity="per_block", block_size=16)),
    Variant("uint4_blocks", *TOKENS, _steps(mode="linear", dtype="uint4", granularity="per_block", block_size=32)),
    Variant("int8_channels", *NEW, _steps(dtype="int8", granularity="per_channel")),
    Variant("sparse_pattern", *TOKENS, _sparse(n_m_ratio=(3, 4))),
    Variant(
        "sparse_palette",
        *NEW,
        _both(_sparse(target_sparsity=0.6), palettize_weights, OpPalettizerConfig(nbits=4, weight_threshold=SMALLEST)),
    ),
    Variant(
        "sparse_int8",
        *TOKENS,
        _both(
            lambda model: prune_weights(
                model,
                OptimizationConfig(
                    OpThresholdPrunerConfig(threshold=0.05, minimum_sparsity_percentile=0.1, weight_threshold=SMALLEST)
                ),
            ),
            linear_quantize_weights,
            OpLinearQuantizerConfig(dtype="int8", weight_threshold=SMALLEST),
        ),
    ),
    Variant(
        "palette_int8",
        *TOKENS,
        _both(
            _palettes(nbits=4, granularity="per_grouped_channel", group_size=16),
            linear_quantize_weights,
            OpLinearQuantizerConfig(dtype="int8", granularity="per_tensor", weight_threshold=SMALLEST),
        ),
    ),
)


if __name__ == "__main__":
    sys.exit(main())
