"""What is known of a model once it was read. Imports neither mlx nor coremltools."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.errors import ModelHasNoImageInput, UnsupportedModel
from app.i18n import N_

Colour = Literal["RGB", "BGR", "GRAYSCALE", "GRAYSCALE_FLOAT16"]
Kind = Literal["mlProgram", "neuralNetwork", "pipeline"]
FeatureKind = Literal["image", "multiArray", "dictionary", "string", "int64", "double", "sequence", "state"]
Interpolation = Literal["bilinear", "bicubic"]

Sizes = tuple[tuple[int, int | None], ...]
"""The least and the largest size of each axis, both allowed; None: no limit."""


@dataclass(frozen=True)
class ImageInput:
    """The image that a model takes, as the file declares it."""

    name: str
    width: int
    height: int
    colour: Colour


@dataclass(frozen=True)
class Feature:
    """An input or output as the description declares it; a state is both."""

    name: str
    kind: FeatureKind
    shape: tuple[int, ...] = ()
    """Of an image (1, height, width, channels), as `CompiledModel` takes it; of a multi-array or state as declared; of
    anything else ()."""
    dtype: str = ""
    """ "uint8" of an image ("fp16" of GRAYSCALE_FLOAT16); "fp32", "fp64", "fp16", "int32" or "int8" of a multi-array;
    "str" or "int64" of a dictionary's keys; "" where there is nothing to say."""
    colour: Colour | None = None
    optional: bool = False
    default: float | None = None
    """What all elements of an optional multi-array are when it is left out; None: the file names no value."""
    allowed: tuple[Sizes, ...] = ()
    """Other shapes than `shape`: those inside any of these; () when the shape is fixed."""

    @property
    def is_array(self) -> bool:
        """Whether its value is an array: an image, a multi-array or a state."""
        return self.kind in ("image", "multiArray", "state")

    @property
    def flexible(self) -> bool:
        """Whether it may have other shapes than `shape`."""
        return bool(self.allowed)

    def allows(self, shape: tuple[int, ...]) -> bool:
        """Whether the file allows this shape."""
        return shape == self.shape or any(_inside(shape, sizes) for sizes in self.allowed)

    def allowed_text(self) -> str:
        """ "1 × 8…64 × 8…64 × 3 or 1 × 224 × 224 × 3": every shape that it may have."""
        own = tuple((size, size) for size in self.shape)
        every = self.allowed if any(_inside(self.shape, sizes) for sizes in self.allowed) else (own, *self.allowed)
        return " or ".join(" × ".join(_range_text(low, high) for low, high in sizes) for sizes in every)


@dataclass(frozen=True)
class ModelFacts:
    """The fields of the engine's message of the same name, which says what each means."""

    name: str
    digest: str
    """SHA-256 over the package's files, hex."""
    kind: Kind
    specification: int
    inputs: tuple[Feature, ...]
    """What the part that runs takes, in the order of the description; states (iOS 18) last."""
    output_features: tuple[Feature, ...]
    """What the part that runs gives; last the states, as they are afterwards."""
    functions: tuple[str, ...]
    """The functions of an ML Program, sorted; () for other kinds."""
    left_out: tuple[str, ...]
    """The stages of a pipeline that do not run: "nms (nonMaximumSuppression)"."""
    probabilities: str | None
    """Name of the output that holds the class probabilities; None when the model is no classifier."""
    label: str | None
    """Name of the output that holds the winning label; None when the model is no classifier."""
    labels: tuple[str | int, ...]
    """In the order of the probabilities, text or whole numbers as the file declares them."""
    size_bytes: int
    crop_fraction: float
    """Part of the photo's short side that the model expects to see; 1.0 when the file says nothing."""
    interpolation: Interpolation
    metadata: dict[str, str]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(feature.name for feature in self.output_features)

    @property
    def image(self) -> ImageInput | None:
        """The image that it takes, when there is exactly one."""
        images = [feature for feature in self.inputs if feature.kind == "image"]
        if len(images) != 1 or images[0].colour is None:
            return None
        _, height, width, _ = images[0].shape
        return ImageInput(images[0].name, width, height, images[0].colour)

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes an equal object."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> ModelFacts:
        """The facts that `to_json` wrote. Raises KeyError, ValueError or TypeError when something is missing."""
        lists = {name: tuple(plain[name]) for name in ("functions", "left_out", "labels")}
        features = {name: tuple(map(_feature, plain[name])) for name in ("inputs", "output_features")}
        return cls(**{**plain, **lists, **features})


def require_one_image(facts: ModelFacts) -> ImageInput:
    """The image of a model that needs one and nothing else, which is what the engines feed.

    Raises ModelHasNoImageInput, UnsupportedModel.
    """
    image = facts.image
    images = sum(feature.kind == "image" for feature in facts.inputs)
    if not images:
        raise ModelHasNoImageInput(model=facts.name, inputs=tuple(map(_input_text, facts.inputs)))
    if image is None or any(_is_needed(feature) for feature in facts.inputs if feature.kind != "image"):
        raise UnsupportedModel(model=facts.name, cause=N_("it needs more inputs than an image"))
    return image


def _is_needed(feature: Feature) -> bool:
    return not feature.optional or feature.kind == "state" or (feature.is_array and feature.default is None)


def _feature(plain: dict[str, Any]) -> Feature:
    allowed = tuple(tuple((int(low), high) for low, high in sizes) for sizes in plain["allowed"])
    return Feature(**{**plain, "shape": tuple(plain["shape"]), "allowed": allowed})


def _inside(shape: tuple[int, ...], sizes: Sizes) -> bool:
    return len(shape) == len(sizes) and all(
        low <= size and (high is None or size <= high) for size, (low, high) in zip(shape, sizes, strict=True)
    )


def _range_text(low: int, high: int | None) -> str:
    return str(low) if low == high else f"{low}…{'' if high is None else high}"


def _input_text(feature: Feature) -> str:
    """ "x (1 × 512 × 3)" """
    return f"{feature.name} ({' × '.join(map(str, feature.shape))})" if feature.shape else feature.name
