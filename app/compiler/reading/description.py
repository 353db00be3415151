"""The description of a model, as the protobuf file gives it -> `ModelFacts`. The weights are not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.compiler.facts import Colour, Feature, Kind, ModelFacts, Sizes
from app.compiler.reading.package import Package
from app.compiler.reading.pipeline import Stage, interface, running_stages
from app.errors import ModelUnreadable, UnsupportedModel
from app.i18n import N_

_COLOURS: dict[int, Colour] = {10: "GRAYSCALE", 20: "RGB", 30: "BGR", 40: "GRAYSCALE_FLOAT16"}
_ARRAY_TYPES = {65568: "fp32", 65600: "fp64", 65552: "fp16", 131104: "int32", 131080: "int8"}
"""FeatureTypes.proto, ImageFeatureType.ColorSpace and ArrayFeatureType.ArrayDataType."""

_FOREIGN = (KeyError, IndexError, StopIteration, TypeError, AttributeError, ValueError, RuntimeError)
"""What comes of a message whose parts contradict each other."""


def read_facts(package: Package, specification: Any, function: str | None = None) -> ModelFacts:
    """What the description says of one function (None: the default one), of a pipeline of the part that runs.

    Raises ModelUnreadable, UnsupportedModel.
    """
    kind, functions = _kind(specification), ()
    if kind == "mlProgram":
        functions = tuple(sorted(specification.mlProgram.functions))
        function = function_name(package.name, specification, function)
    elif function is not None:
        raise UnsupportedModel(model=package.name, cause=N_("only an ML Program has functions to choose from"))
    stages, left_out = running_stages(specification)
    metadata = _metadata(specification)
    facts = ModelFacts(
        name=package.name,
        digest=package.digest,
        kind=kind,
        specification=specification.specificationVersion,
        inputs=(),
        output_features=(),
        functions=functions,
        left_out=left_out,
        probabilities=None,
        label=None,
        labels=(),
        size_bytes=package.size_bytes,
        crop_fraction=_fraction(metadata.get("dyno.crop_fraction", "")),
        interpolation="bicubic" if metadata.get("dyno.interpolation") == "bicubic" else "bilinear",
        metadata=metadata,
    )
    if kind != "pipeline":
        return stage_facts(facts, stages[0], function)
    return _of_pipeline(facts, specification, [stage_facts(facts, stage, None) for stage in stages])


def stage_facts(facts: ModelFacts, stage: Stage, function: str | None) -> ModelFacts:
    """`facts` with inputs, outputs and labels of one network. Raises ModelUnreadable."""
    specification = stage.specification
    description = interface(specification, function)
    _refuse_doubles(facts.name, description)
    try:
        # A regressor names its number in this field.
        regressor = specification.WhichOneof("Type") == "neuralNetworkRegressor"
        label = None if regressor else str(description.predictedFeatureName) or None
        return replace(
            facts,
            inputs=_inputs(specification, description),
            output_features=_features(description.output) + _features(description.state),
            label=label,
            probabilities=_probabilities(description) if label else None,
            labels=_labels(specification, function) if label else (),
        )
    except _FOREIGN as error:
        raise ModelUnreadable(model=facts.name, cause=N_("its description is damaged")) from error


def _refuse_doubles(model: str, description: Any) -> None:
    """A name stands for one thing going in, and for one coming out. Raises ModelUnreadable."""
    for features in (description.input, description.output):
        names: set[str] = set()
        for name in (str(feature.name) for feature in features):
            if name in names:
                raise ModelUnreadable(
                    model=model, cause=N_("its description has “{name}” twice"), details={"name": name}
                )
            names.add(name)


def function_name(model: str, specification: Any, function: str | None) -> str:
    """The function to run: the asked one, the default one, or the only one. Raises UnsupportedModel."""
    names = sorted(specification.mlProgram.functions)
    wanted = function or specification.description.defaultFunctionName or "main"
    if function is None and len(names) == 1:
        return str(names[0])
    if wanted in names:
        return wanted
    raise UnsupportedModel(
        model=model,
        cause=N_("it has no function “{wanted}”, only: {names}"),
        details={"wanted": wanted, "names": tuple(names)},
    )


def _of_pipeline(facts: ModelFacts, specification: Any, stages: list[ModelFacts]) -> ModelFacts:
    """What goes in and comes out of the running stages together.

    The inputs are those that no earlier of these stages gives; the outputs those that the pipeline gives, and those
    that none of these stages reads. The classes are those of the last stage that gives probabilities. When no stage
    runs, it is what the pipeline itself takes and gives, without labels.
    """
    promised = {feature.name for feature in specification.description.output}
    inputs: dict[str, Feature] = {}
    outputs: dict[str, Feature] = {}
    read: set[str] = set()
    for stage in stages:
        for feature in stage.inputs:
            if feature.name not in outputs:
                inputs.setdefault(feature.name, feature)
        read.update(feature.name for feature in stage.inputs)
        outputs.update({feature.name: feature for feature in stage.output_features})
    given = {name: feature for name, feature in outputs.items() if name in promised or name not in read}
    if not stages:
        return stage_facts(facts, Stage("", specification), None)
    facts = replace(facts, inputs=tuple(inputs.values()), output_features=tuple(given.values()))
    for stage in stages:
        if stage.probabilities in given:
            facts = replace(facts, label=stage.label, probabilities=stage.probabilities, labels=stage.labels)
    return facts


def _kind(specification: Any) -> Kind:
    kind = specification.WhichOneof("Type")
    if kind.startswith("pipeline"):
        return "pipeline"
    return "mlProgram" if kind == "mlProgram" else "neuralNetwork"


def _metadata(specification: Any) -> dict[str, str]:
    given = specification.description.metadata
    metadata = dict(given.userDefined)
    for key, field in (("description", "shortDescription"), ("author", "author"), ("licence", "license")):
        if text := getattr(given, field):
            metadata[key] = text
    return metadata


def _inputs(specification: Any, description: Any) -> tuple[Feature, ...]:
    inputs = _features(description.input)
    if specification.WhichOneof("Type") != "mlProgram":
        # A NeuralNetwork's optional arrays are what a recurrent layer remembers; they begin with zeros.
        inputs = tuple(
            replace(one, default=0.0) if one.optional and one.kind == "multiArray" and one.default is None else one
            for one in inputs
        )
    inputs += _features(description.state)
    if any(size < 0 for one in inputs for size in one.shape):
        raise ValueError("a size below zero")
    return inputs


def _features(descriptions: Any) -> tuple[Feature, ...]:
    return tuple(map(_feature, descriptions))


def _feature(description: Any) -> Feature:
    kind = description.type.WhichOneof("Type").removesuffix("Type")
    optional, name = bool(description.type.isOptional), str(description.name)
    match kind:
        case "image":
            return _image(name, description.type.imageType, optional)
        case "multiArray":
            return _array(name, description.type.multiArrayType, optional)
        case "state":
            array = _array(name, description.type.stateType.arrayType, optional=True)
            # A new state holds zeros.
            return replace(array, kind="state", default=0.0)
    keys = description.type.dictionaryType.WhichOneof("KeyType") if kind == "dictionary" else None
    dtype = {"int64KeyType": "int64", "stringKeyType": "str"}.get(keys or "", "")
    return Feature(name, kind, (), dtype, None, optional)


def _image(name: str, image: Any, optional: bool) -> Feature:
    colour = _COLOURS[image.colorSpace]
    channels = 3 if colour in ("RGB", "BGR") else 1
    shape = (1, int(image.height), int(image.width), channels)
    dtype = "fp16" if colour == "GRAYSCALE_FLOAT16" else "uint8"
    return Feature(name, "image", shape, dtype, colour, optional, None, _image_sizes(image, channels))


def _array(name: str, array: Any, optional: bool) -> Feature:
    field, allowed = array.WhichOneof("defaultOptionalValue"), _array_sizes(array)
    default = float(getattr(array, field)) if field else None
    shape = tuple(map(int, array.shape)) or tuple(max(low, 1) for sizes in allowed[:1] for low, _ in sizes)
    return Feature(name, "multiArray", shape, _ARRAY_TYPES[array.dataType], None, optional, default, allowed)


def _image_sizes(image: Any, channels: int) -> tuple[Sizes, ...]:
    """What a flexible image may be, over the axes (1, height, width, channels)."""
    match image.WhichOneof("SizeFlexibility"):
        case "enumeratedSizes":
            sizes = [(_exactly(size.height), _exactly(size.width)) for size in image.enumeratedSizes.sizes]
        case "imageSizeRange":
            sizes = [(_range(image.imageSizeRange.heightRange), _range(image.imageSizeRange.widthRange))]
        case _:
            return ()
    return tuple(((1, 1), height, width, (channels, channels)) for height, width in sizes)


def _array_sizes(array: Any) -> tuple[Sizes, ...]:
    match array.WhichOneof("ShapeFlexibility"):
        case "enumeratedShapes":
            return tuple(tuple(map(_exactly, shape.shape)) for shape in array.enumeratedShapes.shapes)
        case "shapeRange":
            return (tuple(map(_range, array.shapeRange.sizeRanges)),)
        case _:
            return ()


def _exactly(size: int) -> tuple[int, int | None]:
    return int(size), int(size)


def _range(sizes: Any) -> tuple[int, int | None]:
    """FeatureTypes.proto, SizeRange: a negative upper bound is none."""
    return int(sizes.lowerBound), int(sizes.upperBound) if sizes.upperBound >= 0 else None


def _probabilities(description: Any) -> str | None:
    """The output with the probabilities: the declared one, else the only dictionary."""
    if description.predictedProbabilitiesName:
        return str(description.predictedProbabilitiesName)
    dictionaries = [f.name for f in description.output if f.type.WhichOneof("Type") == "dictionaryType"]
    return dictionaries[0] if dictionaries else None


def _labels(specification: Any, function: str | None) -> tuple[str | int, ...]:
    """Class labels in the order of the probabilities."""
    kind = specification.WhichOneof("Type")
    if kind == "mlProgram":
        name = function_name("", specification, function)
        return tuple(_classify_labels(specification.mlProgram.functions[name]))
    if kind == "neuralNetworkClassifier":
        network = specification.neuralNetworkClassifier
        return tuple(getattr(network, network.WhichOneof("ClassLabels") or "stringClassLabels").vector)
    return ()


def _classify_labels(function: Any) -> Iterator[str | int]:
    """The classes of the function's `classify`, a list constant, written in place or as a `const` of its own."""
    block = dict(function.block_specializations)[function.opset]
    for operation in block.operations:
        if operation.type == "classify":
            binding = operation.inputs["classes"].arguments[0]
            value = binding.value
            if binding.WhichOneof("binding") == "name":
                makers = [o for o in block.operations if binding.name in (v.name for v in o.outputs)]
                value = makers[0].attributes["val"]
            for one in value.immediateValue.list.values:
                tensor = one.immediateValue.tensor
                yield from getattr(tensor, tensor.WhichOneof("value")).values
            return


def _fraction(text: str) -> float:
    """A part in (0, 1]; 1.0 when the text is none."""
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return value if 0 < value <= 1 else 1.0
