"""Package -> protobuf specification -> MIL program. With legalise.py the only file that meets coremltools.

coremltools is imported inside the functions: it takes half a second, and a model that comes from the cache needs none
of it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from app.compiler.facts import ImageInput, ModelFacts
from app.compiler.package import Package
from app.errors import ModelHasNoImageInput, ModelUnreadable, UnsupportedModel
from app.i18n import N_

_KINDS = {"mlProgram": "mlProgram", "neuralNetwork": "neuralNetwork", "neuralNetworkClassifier": "neuralNetwork",
          "neuralNetworkRegressor": "neuralNetwork", "pipeline": "pipeline", "pipelineClassifier": "pipeline",
          "pipelineRegressor": "pipeline"}  # fmt: skip
_COLOURS = {10: "GRAYSCALE", 20: "RGB", 30: "BGR", 40: "GRAYSCALE_FLOAT16"}
"""FeatureTypes.proto, ImageFeatureType.ColorSpace."""


def read_specification(package: Package) -> Any:
    """The `Model` message of the package. Raises ModelUnreadable, UnsupportedModel."""
    with _quiet():
        import coremltools
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError

    specification = Model_pb2.Model()
    try:
        specification.ParseFromString(package.specification.read_bytes())
    except DecodeError as error:
        raise ModelUnreadable(model=package.name, cause=N_("its description is damaged")) from error
    kind = specification.WhichOneof("Type")
    newest = max(v for n, v in vars(coremltools).items() if n.startswith("_SPECIFICATION_VERSION_IOS"))
    if specification.specificationVersion > newest:
        raise ModelUnreadable(model=package.name, cause=N_("its format is newer than this program knows"))
    if kind is None or specification.specificationVersion < 1:
        raise ModelUnreadable(model=package.name, cause=N_("it holds no model"))
    if kind not in _KINDS:
        raise UnsupportedModel(model=package.name, cause=N_("it is no neural network"))
    return specification


def read_facts(package: Package, specification: Any) -> ModelFacts:
    """What the description says. Raises ModelHasNoImageInput."""
    description = specification.description
    metadata = dict(description.metadata.userDefined)
    for key, field in (("description", "shortDescription"), ("author", "author"), ("licence", "license")):
        if text := getattr(description.metadata, field):
            metadata[key] = text
    classifier = bool(description.predictedFeatureName)
    fraction = _fraction(metadata.get("dyno.crop_fraction", ""))
    return ModelFacts(
        name=package.name,
        digest=package.digest,
        kind=_KINDS[specification.WhichOneof("Type")],  # type: ignore[arg-type]
        specification=specification.specificationVersion,
        image=_image(package, description),
        outputs=tuple(feature.name for feature in description.output),
        probabilities=_probabilities(specification) if classifier else None,
        label=description.predictedFeatureName if classifier else None,
        labels=_labels(specification) if classifier else (),
        size_bytes=package.size_bytes,
        crop_fraction=fraction,
        interpolation="bicubic" if metadata.get("dyno.interpolation") == "bicubic" else "bilinear",
        metadata=metadata,
    )


def read_program(package: Package, specification: Any, function: str | None) -> Any:
    """One function of an ML Program, as coremltools' own loader reads it.

    `function` None takes the default one. Raises ModelUnreadable, UnsupportedModel.
    """
    if specification.WhichOneof("Type") != "mlProgram":
        raise UnsupportedModel(
            model=package.name,
            cause=N_(
                "only ML Programs can run on MLX yet, and this is a NeuralNetwork or a pipeline; a Core ML target can"
            ),
        )
    name = function_name(package, specification, function)
    _refuse_missing_weights(package, specification)
    with _quiet():
        from coremltools.converters.mil.frontend.milproto.load import load

    version = max(specification.specificationVersion, 6)
    try:
        return load(specification, version, str(package.weights)).functions[name]
    except Exception as error:
        # The loader raises whatever comes: RuntimeError and ValueError from the weight file's reader, AssertionError on
        # a type that does not fit, KeyError on a name that nothing defines. It means that the file contradicts itself.
        raise ModelUnreadable(model=package.name, cause=_plain(error)) from error


def function_name(package: Package, specification: Any, function: str | None) -> str:
    """The function to run: the asked one, the default one, or the only one. Raises UnsupportedModel."""
    names = sorted(specification.mlProgram.functions)
    wanted = function or specification.description.defaultFunctionName or "main"
    if wanted in names:
        return wanted
    raise UnsupportedModel(model=package.name, cause=N_("it has no such function"))


def operation_kinds(specification: Any, function: str) -> set[str]:
    """The op types of one function, nested blocks included, straight from the file."""
    found: set[str] = set()

    def walk(block: Any) -> None:
        for operation in block.operations:
            found.add(operation.type)
            for inner in operation.blocks:
                walk(inner)

    chosen = specification.mlProgram.functions[function]
    for block in chosen.block_specializations.values():
        walk(block)
    return found


def _image(package: Package, description: Any) -> ImageInput:
    images = [f for f in description.input if f.type.WhichOneof("Type") == "imageType"]
    if not images:
        raise ModelHasNoImageInput(model=package.name, inputs=tuple(_input_text(f) for f in description.input))
    image = images[0].type.imageType
    colour = _COLOURS.get(image.colorSpace, "RGB")
    return ImageInput(images[0].name, int(image.width), int(image.height), colour)  # type: ignore[arg-type]


def _input_text(feature: Any) -> str:
    """ "x (1 × 512 × 3)" """
    if feature.type.WhichOneof("Type") == "multiArrayType":
        return f"{feature.name} ({' × '.join(map(str, feature.type.multiArrayType.shape))})"
    return str(feature.name)


def _probabilities(specification: Any) -> str | None:
    """The output with the probabilities: the declared one, else the only dictionary."""
    description = specification.description
    if description.predictedProbabilitiesName:
        return str(description.predictedProbabilitiesName)
    dictionaries = [f.name for f in description.output if f.type.WhichOneof("Type") == "dictionaryType"]
    return dictionaries[0] if dictionaries else None


def _labels(specification: Any) -> tuple[str, ...]:
    """Class labels in the order of the probabilities."""
    kind = specification.WhichOneof("Type")
    if kind == "mlProgram":
        return _classify_labels(specification)
    if kind == "neuralNetworkClassifier":
        network = specification.neuralNetworkClassifier
        labels = getattr(network, network.WhichOneof("ClassLabels") or "stringClassLabels")
        return tuple(str(label) for label in labels.vector)
    return ()


def _classify_labels(specification: Any) -> tuple[str, ...]:
    for function in specification.mlProgram.functions.values():
        for block in function.block_specializations.values():
            for operation in block.operations:
                if operation.type == "classify":
                    return tuple(_immediate_texts(block, operation.inputs["classes"].arguments[0]))
    return ()


def _immediate_texts(block: Any, binding: Any) -> Iterator[str]:
    """The strings of a list constant, written in place or as a `const` of its own."""
    value = binding.value
    if binding.WhichOneof("binding") == "name":
        value = next(o.attributes["val"] for o in block.operations if binding.name in (v.name for v in o.outputs))
    for one in value.immediateValue.list.values:
        tensor = one.immediateValue.tensor
        items = getattr(tensor, tensor.WhichOneof("value")).values
        yield from map(str, items)


def _fraction(text: str) -> float:
    """A part in (0, 1]; 1.0 when the text is none."""
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return value if 0 < value <= 1 else 1.0


def _refuse_missing_weights(package: Package, specification: Any) -> None:
    if b"weights/weight.bin" in package.specification.read_bytes() and not (package.weights / "weight.bin").is_file():
        raise ModelUnreadable(model=package.name, cause=N_("its weights are missing; it was probably copied in part"))


_WEIGHT_FILE_SIGNS = ("index out of bounds", "sentinel", "mmap", "Storage Reader")
"""What coremltools' reader of weight files says when one is cut short, empty, overwritten or pointed beyond."""


def _plain(error: Exception) -> str:
    """One short line for a person."""
    text = str(error).strip()
    if any(sign in text for sign in _WEIGHT_FILE_SIGNS):
        return N_("its weights are cut short or damaged")
    return f"{type(error).__name__}: {text.splitlines()[0][:200] if text else ''}".rstrip(": ")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence coremltools' import, which warns once for every part of itself that only exists on macOS."""
    logger = logging.getLogger("coremltools")
    before, logger.level = logger.level, logging.ERROR
    try:
        yield
    finally:
        logger.level = before
