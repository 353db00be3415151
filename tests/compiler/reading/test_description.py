"""What a description declares, in every form that the format has for it."""

import pytest
from coremltools.proto import Model_pb2

from app.compiler import read_model_facts
from app.compiler.facts import Feature
from app.errors import ModelUnreadable


@pytest.fixture
def facts_of(tmp_path):
    """facts_of(change): the facts of a network without layers after `change(description)`."""

    def read(change):
        model = Model_pb2.Model(specificationVersion=4)
        model.neuralNetwork.SetInParent()
        change(model.description)
        path = tmp_path / "m.mlmodel"
        path.write_bytes(model.SerializeToString())
        return read_model_facts(path)

    return read


def an_image(description, colour=20, width=4, height=3):
    image = description.input.add(name="x").type.imageType
    image.width, image.height, image.colorSpace = width, height, colour
    return image


def an_array(description, *shape, dtype=65568):
    array = description.input.add(name="x").type.multiArrayType
    array.shape.extend(shape)
    array.dataType = dtype
    return array


@pytest.mark.parametrize(
    ("number", "colour", "channels", "dtype"),
    [
        (10, "GRAYSCALE", 1, "uint8"),
        (20, "RGB", 3, "uint8"),
        (30, "BGR", 3, "uint8"),
        (40, "GRAYSCALE_FLOAT16", 1, "fp16"),
    ],
)
def test_images_of_every_colour(facts_of, number, colour, channels, dtype):
    facts = facts_of(lambda d: an_image(d, number))
    assert facts.inputs == (Feature("x", "image", (1, 3, 4, channels), dtype, colour),)
    assert facts.image.colour == colour


def test_sizes_of_an_image_may_be_listed(facts_of):
    def listed(description):
        image = an_image(description)
        image.enumeratedSizes.sizes.add(width=4, height=3)
        image.enumeratedSizes.sizes.add(width=8, height=6)

    (image,) = facts_of(listed).inputs
    assert [image.allows(shape) for shape in ((1, 3, 4, 3), (1, 6, 8, 3), (1, 6, 4, 3))] == [True, True, False]
    assert image.allowed_text() == "1 × 3 × 4 × 3 or 1 × 6 × 8 × 3"


def test_sizes_of_an_image_may_be_a_range_without_end(facts_of):
    def ranged(description):
        sizes = an_image(description).imageSizeRange
        sizes.widthRange.lowerBound, sizes.widthRange.upperBound = 4, -1
        sizes.heightRange.lowerBound, sizes.heightRange.upperBound = 3, 9

    (image,) = facts_of(ranged).inputs
    assert image.allowed == (((1, 1), (3, 9), (4, None), (3, 3)),)
    assert image.allows((1, 9, 4000, 3))
    assert not image.allows((1, 10, 4, 3))


@pytest.mark.parametrize(
    ("number", "dtype"), [(65568, "fp32"), (65600, "fp64"), (65552, "fp16"), (131104, "int32"), (131080, "int8")]
)
def test_arrays_of_every_type(facts_of, number, dtype):
    assert facts_of(lambda d: an_array(d, 2, 5, dtype=number)).inputs == (Feature("x", "multiArray", (2, 5), dtype),)


def test_shapes_of_an_array_may_be_listed_or_a_range(facts_of):
    def listed(description):
        shapes = an_array(description, 1, 2).enumeratedShapes.shapes
        shapes.add(shape=(1, 2))
        shapes.add(shape=(3,))

    def ranged(description):
        sizes = an_array(description).shapeRange.sizeRanges
        sizes.add(lowerBound=1, upperBound=1)
        sizes.add(lowerBound=2, upperBound=-1)

    assert facts_of(listed).inputs[0].allowed == (((1, 1), (2, 2)), ((3, 3),))
    (array,) = facts_of(ranged).inputs
    assert array.allowed == (((1, 1), (2, None)),)
    assert array.shape == (1, 2), "the smallest, where the file names no default"


@pytest.mark.parametrize(
    ("field", "value"), [("intDefaultValue", 3), ("floatDefaultValue", 0.5), ("doubleDefaultValue", -2)]
)
def test_optional_arrays_name_their_value(facts_of, field, value):
    def optional(description):
        setattr(an_array(description, 1), field, value)
        description.input[0].type.isOptional = True

    (array,) = facts_of(optional).inputs
    assert (array.optional, array.default) == (True, value)


def test_other_kinds_of_outputs_are_told_by_their_kind(facts_of):
    def every_kind(description):
        description.output.add(name="a").type.dictionaryType.int64KeyType.SetInParent()
        description.output.add(name="b").type.dictionaryType.stringKeyType.SetInParent()
        for name, kind in zip("cdef", ("stringType", "int64Type", "doubleType", "sequenceType"), strict=True):
            getattr(description.output.add(name=name).type, kind).SetInParent()

    kinds = [(one.kind, one.dtype) for one in facts_of(every_kind).output_features]
    assert kinds == [
        ("dictionary", "int64"),
        ("dictionary", "str"),
        ("string", ""),
        ("int64", ""),
        ("double", ""),
        ("sequence", ""),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: an_image(d, colour=0),
        lambda d: an_array(d, 2, dtype=0),
        lambda d: d.input.add(name="x"),
        lambda d: an_image(d, width=-4),
        lambda d: an_array(d, 1, -2),
        lambda d: d.output.add(name="x"),
    ],
)
def test_a_feature_without_type_or_colour_is_damage(facts_of, change):
    with pytest.raises(ModelUnreadable, match="description is damaged"):
        facts_of(change)
