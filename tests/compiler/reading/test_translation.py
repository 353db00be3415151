"""Whole packages with every kind of input and output, through the Python interface."""

import coremltools as ct
import mlx.core as mx
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types
from coremltools.models import datatypes, neural_network
from coremltools.proto import Model_pb2

from app.compiler import compile_model, read_model_facts
from app.compiler.model import Port
from app.compiler.verify import verify
from app.errors import UnsupportedModel

pytestmark = pytest.mark.mlx

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (3, 4, 5, 1), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)


def program(*specs, opset=ct.target.iOS16):
    return mb.program(input_specs=list(specs), opset_version=opset)


def tensor(*shape, dtype=types.fp32):
    return mb.TensorSpec(shape=shape, dtype=dtype)


def edited(path, change):
    """The package with `change(specification)` done to its description."""
    file = next(path.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    change(specification)
    file.write_bytes(specification.SerializeToString())
    return path


def test_a_grey_image_has_one_channel(converted):
    function = program(tensor(1, 1, 4, 5))(lambda image: mb.mul(x=image, y=np.float32(2), name="out"))
    image = ct.ImageType(name="image", shape=(1, 1, 4, 5), color_layout=ct.colorlayout.GRAYSCALE)
    model = compile_model(converted(function, inputs=[image]), precision="fp32")
    assert model.inputs == (Port("image", (1, 4, 5, 1), "uint8"),)
    np.testing.assert_array_equal(model(image=GREY)["out"], GREY.transpose(0, 3, 1, 2) * 2.0)


def test_a_grey_image_of_halves_reaches_the_network_as_it_is(converted):
    function = program(tensor(1, 1, 4, 5))(lambda image: mb.mul(x=image, y=np.float32(2), name="out"))
    image = ct.ImageType(name="image", shape=(1, 1, 4, 5), color_layout=ct.colorlayout.GRAYSCALE_FLOAT16)
    model = compile_model(converted(function, inputs=[image]), precision="fp32")
    assert model.inputs == (Port("image", (1, 4, 5, 1), "fp16"),)
    values = RNG.standard_normal((2, 4, 5, 1)).astype(np.float16)
    np.testing.assert_array_equal(model(image=values)["out"], values.transpose(0, 3, 1, 2).astype(np.float32) * 2)


def mixed(converted):
    specs = tensor(1, 3, 4, 5), tensor(1, 1, 4, 5), tensor(1, 3, 1, 1), tensor(1, 2, dtype=types.int32)

    @program(*specs)
    def function(photo, mask, gain, pair):
        seen = mb.add(x=mb.mul(x=photo, y=gain), y=mask)
        return mb.identity(x=seen, name="seen"), mb.add(x=pair, y=np.int32(1), name="next")

    inputs = [
        ct.ImageType(name="photo", shape=(1, 3, 4, 5), color_layout=ct.colorlayout.BGR),
        ct.ImageType(name="mask", shape=(1, 1, 4, 5), color_layout=ct.colorlayout.GRAYSCALE),
        ct.TensorType(name="gain", shape=(1, 3, 1, 1)),
        ct.TensorType(name="pair", shape=(1, 2), dtype=np.int32),
    ]
    return converted(function, inputs=inputs)


@pytest.mark.parametrize("precision", ["stored", "fp32", "fp16"])
def test_several_images_and_arrays_in_one_batch(converted, precision):
    model = compile_model(mixed(converted), precision=precision)
    assert [port.dtype for port in model.inputs] == ["uint8", "uint8", "fp32", "int32"]
    gain, pair = RNG.uniform(0.5, 1, (3, 3, 1, 1)).astype(np.float32), np.arange(6, dtype=np.int32).reshape(3, 2)
    answer = model(photo=COLOUR, mask=GREY, gain=gain, pair=pair)
    wanted = COLOUR[..., ::-1].transpose(0, 3, 1, 2) * gain + GREY.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(answer["seen"], wanted, rtol=1e-6 if precision == "fp32" else 4e-3)
    np.testing.assert_array_equal(answer["next"], pair + 1)


@pytest.mark.parametrize("left_out", ["photo", "mask", "gain", "pair"])
def test_every_required_input_is_asked_for(converted, left_out):
    arrays = {
        "photo": COLOUR,
        "mask": GREY,
        "gain": np.ones((3, 3, 1, 1), np.float32),
        "pair": np.zeros((3, 2), np.int32),
    }
    model = compile_model(mixed(converted))
    with pytest.raises(ValueError, match="N times"):
        model(**{**arrays, left_out: arrays[left_out][:2]})
    del arrays[left_out]
    with pytest.raises(TypeError, match=left_out):
        model(**arrays)


def test_halves_and_whole_numbers_are_not_taken_for_each_other(converted):
    model = compile_model(mixed(converted))
    with pytest.raises(ValueError, match="pair is int32"):
        model(photo=COLOUR, mask=GREY, gain=np.ones((3, 3, 1, 1)), pair=np.zeros((3, 2), np.float32))


def test_an_optional_input_has_the_value_that_the_file_names(converted):
    function = program(tensor(1, 4), tensor(1, 4))(lambda x, y: mb.add(x=x, y=y, name="sum"))
    inputs = [ct.TensorType(name="x", shape=(1, 4)), ct.TensorType(name="y", shape=(1, 4))]

    def make_optional(specification):
        declared = specification.description.input[1].type
        declared.isOptional, declared.multiArrayType.floatDefaultValue = True, 2.5

    model = compile_model(edited(converted(function, inputs=inputs), make_optional), precision="fp32")
    x = RNG.standard_normal((2, 4)).astype(np.float32)
    np.testing.assert_array_equal(model(x=x)["sum"], x + np.float32(2.5))
    np.testing.assert_array_equal(model(x=x, y=-x)["sum"], x * 0)


@pytest.mark.parametrize(("colours", "order"), [(20, [0, 1, 2]), (30, [2, 1, 0])])
def test_a_picture_comes_out_as_bytes_in_rgb_order(converted, colours, order):
    function = program(tensor(1, 3, 4, 5))(lambda image: mb.mul(x=image, y=np.float32(1.5), name="out"))

    def make_picture(specification):
        picture = specification.description.output[0].type.imageType
        picture.width, picture.height, picture.colorSpace = 5, 4, colours

    path = converted(function, inputs=[ct.ImageType(name="image", shape=(1, 3, 4, 5))])
    model = compile_model(edited(path, make_picture), precision="fp32")
    assert model.outputs == (Port("out", (1, 4, 5, 3), "uint8"),)
    wanted = np.clip(COLOUR * 1.5, 0, 255).round().astype(np.uint8)[..., order]
    np.testing.assert_array_equal(model(image=COLOUR)["out"], wanted)


def test_labels_may_be_whole_numbers(converted):
    function = program(tensor(1, 3))(lambda x: mb.softmax(x=x, axis=1, name="scores"))
    model = compile_model(converted(function, classifier_config=ct.ClassifierConfig([7, 5, 9])), precision="fp32")
    assert model.labels == (7, 5, 9)
    answer = model(x=np.eye(3, dtype=np.float32)[[2, 0]])
    np.testing.assert_array_equal(answer["classLabel"], [9, 7])
    assert answer["classLabel_probs"].shape == (2, 3)


def test_a_state_goes_in_and_comes_out(converted):
    half = types.fp16

    @program(tensor(1, 3, dtype=half), mb.StateTensorSpec(shape=(1, 3), dtype=half), opset=ct.target.iOS18)
    def function(x, total):
        grown = mb.add(x=mb.read_state(input=total), y=x)
        return mb.mul(x=mb.coreml_update_state(state=total, value=grown), y=np.float16(2), name="out")

    model = compile_model(converted(function, target=ct.target.iOS18))
    assert [port.name for port in model.inputs] == ["x", "total"]
    x = np.arange(6, dtype=np.float16).reshape(2, 3)
    first = model(x=x)
    np.testing.assert_array_equal(first["out"], 2 * x)
    np.testing.assert_array_equal(model(x=x, total=first["total"])["out"], 4 * x)


def test_a_model_with_a_state_can_be_verified(converted):
    half = types.fp16

    @program(tensor(1, 3, dtype=half), mb.StateTensorSpec(shape=(1, 3), dtype=half), opset=ct.target.iOS18)
    def function(x, total):
        return mb.coreml_update_state(state=total, value=mb.add(x=mb.read_state(input=total), y=x, name="out"))

    assert verify(converted(function, target=ct.target.iOS18)).agrees


def multiplied_by(factor):
    return program(tensor(1, 4), opset=ct.target.iOS18)(lambda x: mb.mul(x=x, y=np.float32(factor), name="out"))


@pytest.fixture
def several(tmp_path, converted):
    """A package of two functions, "double" and "half"; the second is the default one."""
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name, factor in (("double", 2), ("half", 0.5)):
        path = converted(multiplied_by(factor), name=name, target=ct.target.iOS18)
        descriptor.add_function(str(path), src_function_name="main", target_function_name=name)
    descriptor.default_function_name = "half"
    path = tmp_path / "several.mlpackage"
    ct.utils.save_multifunction(descriptor, str(path))
    return path


def test_a_function_is_chosen_by_name(several, tmp_path):
    x = np.ones((1, 4), np.float32)
    for _ in range(2):  # compiled, then from the cache
        for function, wanted in ((None, 0.5), ("half", 0.5), ("double", 2.0)):
            model = compile_model(several, function=function, cache_folder=tmp_path / "cache")
            assert model.facts.functions == ("double", "half")
            np.testing.assert_array_equal(model(x=x)["out"], x * wanted)
    assert compile_model(several, function="double", cache_folder=tmp_path / "cache").from_cache


def test_a_function_that_is_not_there_is_refused_with_those_that_are(several):
    with pytest.raises(UnsupportedModel, match="“third”, only: double, half"):
        compile_model(several, function="third")


def test_only_programs_have_functions(tmp_path):
    array = datatypes.Array(3, 4, 4)
    builder = neural_network.NeuralNetworkBuilder([("x", array)], [("y", array)])
    builder.add_activation("relu", "RELU", "x", "y")
    path = tmp_path / "network.mlmodel"
    path.write_bytes(builder.spec.SerializeToString())
    with pytest.raises(UnsupportedModel, match="only an ML Program"):
        compile_model(path, function="main")


@pytest.mark.parametrize("given", [{"precision": "fp8"}, {"device": "npu"}])
def test_a_precision_or_device_that_is_none_is_refused_with_those_that_are(small_package, given):
    with pytest.raises(UnsupportedModel, match=r"fp8.*bf16|npu.*gpu"):
        compile_model(small_package, **given)


@pytest.mark.skipif(mx.is_available(mx.gpu), reason="MLX has a GPU here")
def test_a_gpu_that_is_not_there_is_told(small_package):
    with pytest.raises(UnsupportedModel, match="no GPU"):
        compile_model(small_package, device="gpu")


@pytest.mark.parametrize("kind", ["treeEnsembleClassifier", "glmRegressor", "supportVectorClassifier", "customModel"])
def test_what_is_no_network_is_refused_by_its_kind(tmp_path, kind):
    specification = Model_pb2.Model(specificationVersion=4)
    getattr(specification, kind).SetInParent()
    path = tmp_path / "other.mlmodel"
    path.write_bytes(specification.SerializeToString())
    for read in (compile_model, read_model_facts):
        with pytest.raises(UnsupportedModel, match=kind):
            read(path)


def test_a_shape_that_the_description_leaves_out_is_that_of_the_program(converted):
    def leave_out(specification):
        del specification.description.input[0].type.multiArrayType.shape[:]

    path = converted(multiplied_by(2), target=ct.target.iOS18)
    model = compile_model(edited(path, leave_out), precision="fp32")
    assert model.inputs == (Port("x", (1, 4), "fp32"),)
    np.testing.assert_array_equal(model(x=np.ones((2, 4), np.float32))["out"], 2)


def small_network(path, *, classes=()):
    """Adds an optional array to another one; with `classes` a classifier of what comes out."""
    array = datatypes.Array(3)
    builder = neural_network.NeuralNetworkBuilder(
        [("x", array), ("before", array)],
        [("y", array)],
        mode="classifier" if classes else None,
        disable_rank5_shape_mapping=True,
    )
    builder.add_elementwise("sum", ["x", "before"], "y", "ADD")
    builder.spec.description.input[1].type.isOptional = True
    if classes:
        builder.set_class_labels(list(classes), predicted_feature_name="name", prediction_blob="y")
    path.write_bytes(builder.spec.SerializeToString())
    return path


def test_what_a_network_remembers_begins_with_zeros(tmp_path):
    model = compile_model(small_network(tmp_path / "n.mlmodel"), precision="fp32")
    x = np.float32([1, -2, 3])
    np.testing.assert_array_equal(model(x=x)["y"], x)
    np.testing.assert_array_equal(model(x=x, before=x)["y"], 2 * x)


@pytest.mark.parametrize("classes", [["a", "b", "c"], [30, 10, 20]])
def test_labels_of_a_network_are_text_or_whole_numbers(tmp_path, classes):
    model = compile_model(small_network(tmp_path / "n.mlmodel", classes=classes), precision="fp32")
    assert model.labels == tuple(classes)
    answer = model(x=np.float32([1, 5, 3]))
    assert answer[model.facts.label].tolist() == [classes[1]]
    np.testing.assert_array_equal(answer[model.facts.probabilities], [[1, 5, 3]])


def test_a_classifier_whose_labels_are_not_in_the_file_is_refused(tmp_path):
    path = small_network(tmp_path / "n.mlmodel", classes=["a", "b", "c"])
    specification = Model_pb2.Model()
    specification.ParseFromString(path.read_bytes())
    specification.neuralNetworkClassifier.ClearField("stringClassLabels")
    path.write_bytes(specification.SerializeToString())
    with pytest.raises(UnsupportedModel, match="class labels cannot be read"):
        compile_model(path)
