"""A compiled model as its user holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import mlx.core as mx
import numpy as np

from app.compiler.export import write_new
from app.compiler.facts import Feature
from app.compiler.reading.shapes import Shapes
from app.compiler.source import Source

if TYPE_CHECKING:
    from app.compiler.build import Function

_NUMPY = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64, "int8": np.int8, "int32": np.int32}
_NUMPY |= {"uint8": np.uint8}


@dataclass(frozen=True)
class Port:
    """An input or output as the model declares it. `dtype` is MIL's word."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class CompiledModel:
    """One model as one MLX function.

    Like all of MLX it is lazy and belongs to the thread that compiled it. The first call with a batch size, or with
    shapes of a flexible model, that were not seen before compiles the function for them.
    """

    def __init__(self, source: Source) -> None:
        first = source.compiled(batch=1)
        self.facts = first.page.facts
        self.labels = self.facts.labels
        """The classes in the order of the probabilities, text or whole numbers; () when it is no classifier."""
        self._features = [one for one in self.facts.inputs if one.is_array]
        self.inputs = tuple(Port(one.name, one.shape, one.dtype) for one in self._features)
        """For one image, states last. An image is (1, height, width, channels), whatever the file does inside."""
        self.outputs = tuple(Port(*one) for one in first.page.outputs)
        """The arrays that `function` gives, for one image and default shapes. A classifier's label is no array;
        `__call__` adds it as `facts.label`."""
        self.from_cache = first.from_cache
        self.cache_note = first.note
        self._source = source
        self._variants: dict[tuple[tuple[int, ...], ...], Function] = {
            tuple(port.shape for port in self.inputs): first.function
        }

    def function(self, *arrays: mx.array) -> tuple[mx.array, ...]:
        """The outputs, unevaluated, in the order of `outputs`, for arrays in the order and types of `inputs`.

        Double-precision inputs and outputs are float32 here. Raises ValueError for shapes that the file does not allow.
        """
        given = tuple(array.shape for array in arrays)
        if given not in self._variants:
            if len(given) != len(self._features):
                raise ValueError(f"takes {len(self._features)} arrays, not {len(given)}")
            batch, shapes = self._asked({f.name: shape for f, shape in zip(self._features, given, strict=True)})
            self._variants[given] = self._source.compiled(batch, shapes).function
        return self._variants[given](*arrays)

    def __call__(self, /, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs by name, a classifier's labels (N of them) last.

        Inputs go by their own names; the first axis of each is N times as long as `inputs` says, and so is that of each
        output. An image is uint8 N×H×W×3 in RGB order, or N×H×W×1 when the model takes grey; a GRAYSCALE_FLOAT16 one is
        float16 N×H×W×1 whose values reach the network as they are, whatever range it was made for. An image among the
        outputs comes back in the same form. An optional input may be left out when the file names its value. A state
        (iOS 18) goes in and comes out by its name, so that the answer of one call continues in the next; left out, it
        begins with zeros. Raises TypeError for other names, ValueError for other shapes or types.
        """
        results = self.function(*map(mx.array, self.arguments(**arrays)))
        mx.eval(results)
        answer = {port.name: _as_declared(port, one) for port, one in zip(self.outputs, results, strict=True)}
        if self.facts.label and self.facts.probabilities in answer:
            scores = answer[self.facts.probabilities].reshape(-1, len(self.labels))
            answer[self.facts.label] = np.array([self.labels[index] for index in scores.argmax(axis=1)])
        return answer

    def arguments(self, /, **arrays: np.ndarray) -> list[np.ndarray]:
        """What `function` takes, of the arrays that `__call__` takes. Raises TypeError, ValueError."""
        known = {feature.name for feature in self._features}
        needed = {feature.name for feature in self._features if not (feature.optional and feature.default is not None)}
        if not needed <= set(arrays) <= known:
            raise TypeError(f"takes {sorted(known)}, not {sorted(arrays)}")
        whole = {name: np.asarray(array) for name, array in arrays.items()}
        batch, _ = self._asked({name: array.shape for name, array in whole.items()})
        for feature in self._features:
            if feature.name not in whole:
                shape = (batch * feature.shape[0], *feature.shape[1:])
                whole[feature.name] = np.full(shape, feature.default, _NUMPY[feature.dtype])
        return [_converted(feature, whole[feature.name]) for feature in self._features]

    def export(
        self,
        path: str | Path,
        batch: int = 1,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write the function as an `.mlxfn` that any MLX program (Python, C++, Swift) loads without this project.

        It is made for `batch` images on the device and in the precision of this model; flexible inputs have their
        default shape or that in `shapes`. It takes its arrays by position, in the order of `inputs`, and gives those of
        `outputs`: an image is uint8 N×H×W×3 in RGB order, or N×H×W×1. Raises StorageError, also when the file is there
        and `overwrite` is false; ValueError for a shape that the file does not allow, and for a batch below 1.
        """
        if batch < 1:
            raise ValueError(f"a batch of {batch}")
        asked = dict(shapes or {})
        if unknown := sorted(set(asked) - {feature.name for feature in self._features}):
            raise ValueError(f"no inputs: {unknown}")
        _, chosen = self._asked(asked, batches=(1,))
        write_new(Path(path), lambda file: self._source.export(file, batch, chosen), overwrite)

    def _asked(self, given: Mapping[str, tuple[int, ...]], batches: Iterable[int] | None = None) -> tuple[int, Shapes]:
        """The batch size (one of `batches`) and the other than default shapes that arrays of these shapes mean.

        Raises ValueError.
        """
        features = [feature for feature in self._features if feature.name in given]
        longest = max((shape[0] for shape in given.values() if shape), default=1)
        for batch in batches or (n for n in range(1, longest + 1) if longest % n == 0):
            single = [(feature, _single(given[feature.name], batch)) for feature in features]
            if all(shape and feature.allows(shape) for feature, shape in single):
                return batch, tuple((f.name, shape) for f, shape in single if shape and shape != f.shape)
        raise ValueError("; ".join(f"{f.name} is N times {_text(f)}, not {given[f.name]}" for f in features))


def _converted(feature: Feature, array: np.ndarray) -> np.ndarray:
    """The array in the type that the function takes. Raises ValueError."""
    casting: Literal["equiv", "same_kind"] = "equiv" if feature.dtype == "uint8" else "same_kind"
    if not np.can_cast(array.dtype, _NUMPY[feature.dtype], casting):
        raise ValueError(f"{feature.name} is {feature.dtype} {_text(feature)}, not {array.dtype} {array.shape}")
    return array.astype(np.float32 if feature.dtype == "fp64" else _NUMPY[feature.dtype], copy=False)


def _single(shape: tuple[int, ...], batch: int) -> tuple[int, ...] | None:
    """The shape for one of `batch` images; None when it cannot be cut."""
    if not shape or shape[0] == 0 or shape[0] % batch:
        return None
    return (shape[0] // batch, *shape[1:])


def _text(feature: Feature) -> str:
    return f"({feature.allowed_text()})"


def _as_declared(port: Port, result: mx.array) -> np.ndarray:
    # NumPy has no bfloat16; no file declares such an output, but a bf16 multi-array would be one.
    array = np.array(result.astype(mx.float32) if result.dtype == mx.bfloat16 else result)
    return array.astype(np.float64) if port.dtype == "fp64" else array
