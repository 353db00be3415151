"""A compiled model as its user holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np

from app.compiler.build import Function
from app.compiler.package import open_package
from app.compiler.source import Device, Precision, Source


@dataclass(frozen=True)
class Port:
    """An input or output as the model declares it. `dtype` is MIL's word."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class CompiledModel:
    """One model as one MLX function.

    Like all of MLX it is lazy and belongs to the thread that compiled it. The first call with a batch size that was not
    seen before compiles the function for it.
    """

    def __init__(self, source: Source) -> None:
        first = source.compiled(batch=1)
        self.facts = first.page.facts
        self.labels = self.facts.labels
        image = self.facts.image
        self.inputs = (Port(image.name, (1, image.height, image.width, 3), "uint8"),)
        self.outputs = tuple(Port(*one) for one in first.page.outputs)
        """The arrays that `function` gives. A classifier's label is no array; `__call__` adds it as `facts.label`."""
        self.from_cache = first.from_cache
        self.cache_note = first.note
        self._source = source
        self._batch_free = first.page.batch_free
        self._by_batch: dict[int, Function] = {1: first.function}

    def function(self, pixels: mx.array) -> tuple[mx.array, ...]:
        """The outputs, unevaluated, for uint8 N×H×W×3 pixels in RGB order."""
        batch = pixels.shape[0]
        if batch not in self._by_batch:
            self._by_batch[batch] = self._for_batch(batch)
        return self._by_batch[batch](pixels)

    def __call__(self, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs by name, a classifier's labels (N strings) last.

        The image goes by its own name, uint8 N×H×W×3 in RGB order. Raises TypeError for other names, ValueError
        for other shapes or types.
        """
        (image,) = self.inputs
        if set(arrays) != {image.name}:
            raise TypeError(f"takes {image.name!r}, not {sorted(arrays)}")
        pixels = np.asarray(arrays[image.name])
        if pixels.dtype != np.uint8 or pixels.shape[1:] != image.shape[1:] or len(pixels) == 0:
            raise ValueError(f"{image.name} is uint8 N × {image.shape[1:]}, not {pixels.dtype} {pixels.shape}")
        results = self.function(mx.array(pixels))
        mx.eval(results)
        answer = {port.name: _numpy(result) for port, result in zip(self.outputs, results, strict=True)}
        if self.facts.label and self.facts.probabilities in answer:
            best = answer[self.facts.probabilities].reshape(len(pixels), -1).argmax(axis=1)
            answer[self.facts.label] = np.array([self.labels[index] for index in best])
        return answer

    def _for_batch(self, batch: int) -> Function:
        if self._batch_free:
            return self._source.compiled(batch).function
        return _one_by_one(self._by_batch[1])


def load_or_compile(
    path: str | Path, precision: Precision, function: str | None, device: Device, cache_folder: str | Path | None
) -> CompiledModel:
    """See `app.compiler.compile_model`."""
    folder = None if cache_folder is None else Path(cache_folder)
    return CompiledModel(Source(open_package(path), precision, function, device, folder))


def _one_by_one(single: Function) -> Function:
    """For a program whose images cannot be told apart inside: N runs, their results one after the other."""

    def function(pixels: mx.array) -> tuple[mx.array, ...]:
        runs = [single(pixels[i : i + 1]) for i in range(pixels.shape[0])]
        return tuple(mx.concatenate(list(parts), axis=0) for parts in zip(*runs, strict=True))

    return function


def _numpy(result: mx.array) -> np.ndarray:
    # NumPy has no bfloat16; no file declares such an output, but a bf16 multi-array would be one.
    return np.array(result.astype(mx.float32) if result.dtype == mx.bfloat16 else result)
