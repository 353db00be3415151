"""Damaged and contradictory files are refused with one typed error: random damage, always the same, of small files."""

import random
import shutil

import coremltools as ct
import numpy as np
import pytest
from coremltools.models.datatypes import Array
from coremltools.models.neural_network import NeuralNetworkBuilder
from coremltools.proto import Model_pb2

from app.compiler import compile_model
from app.compiler.inspection import inspect_model
from app.errors import ModelError, ModelUnreadable

pytestmark = pytest.mark.mlx
NUMBERS = (0, -1, 1, 3, 10**9, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63))
FLOATS = (0.0, -1.0, 1e30, float("nan"), float("inf"))
TEXTS = ("", "image", "\x1b[31m\n", "\u202e", "n" * 10_000)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A NeuralNetwork classifier of 8 × 8 arrays as a .mlmodel."""
    numbers = np.random.default_rng(0).standard_normal
    builder = NeuralNetworkBuilder([("image", Array(3, 8, 8))], [("scores", Array(2))], mode="classifier")
    weights = {"W": numbers((3, 3, 3, 4)), "b": numbers(4), "has_bias": True, "groups": 1}
    builder.add_convolution("conv", 3, 4, 3, 3, 1, 1, "same", **weights, input_name="image", output_name="a")
    builder.add_activation("act", "LEAKYRELU", "a", "b", [0.1])
    builder.add_pooling("pool", 2, 2, 2, 2, "MAX", "VALID", "b", "c")
    builder.add_flatten("flat", 0, "c", "d")
    builder.add_inner_product("full", numbers((2, 64)), None, 64, 2, False, "d", "e")
    builder.add_softmax("soft", "e", "scores")
    builder.set_class_labels(["cat", "dog"])
    path = tmp_path_factory.mktemp("networks") / "network.mlmodel"
    ct.models.utils.save_spec(builder.spec, str(path))
    return path


def messages(message):
    """The message and all messages in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inside = [value[key] for key in value] if field.message_type.fields_by_name["value"].message_type else []
        else:
            inside = value if field.is_repeated else [value]
        for one in inside:
            yield from messages(one)


def damage(specification, chance):
    """Change, remove or double one field of one message. Returns what, for the report of a failure."""
    message = chance.choice([one for one in messages(specification) if one.DESCRIPTOR.fields])
    fields = message.DESCRIPTOR.fields
    field = chance.choice([one for one, _ in message.ListFields()] or list(fields))
    value = getattr(message, field.name)
    what = f"{message.DESCRIPTOR.name}.{field.name}"
    kinds = {
        field.CPPTYPE_STRING: TEXTS if field.type == field.TYPE_STRING else (b"", b"\xff" * 9),
        field.CPPTYPE_FLOAT: FLOATS,
        field.CPPTYPE_DOUBLE: FLOATS,
        field.CPPTYPE_BOOL: (True, False),
    }
    other = chance.choice(kinds.get(field.cpp_type, NUMBERS))
    try:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value.pop(chance.choice(sorted(value)), None) if value else value.get_or_create("new")
        elif field.message_type is not None and field.is_repeated:
            chance.choice([lambda: value.pop(), lambda: value.add(), lambda: value.extend(list(value))])()
        elif field.message_type is not None:
            chance.choice([lambda: message.ClearField(field.name), value.Clear])()
        elif field.is_repeated:
            chance.choice([lambda: value.append(other), lambda: value.pop(), lambda: value.__setitem__(0, other)])()
        else:
            setattr(message, field.name, other)
    except (ValueError, TypeError, IndexError, AttributeError):
        pass  # Nothing that protobuf could write into a file.
    return what


def taken_or_refused(path, what):
    """Inspect and compile; anything but success or a ModelError fails the test."""
    for look in (inspect_model, compile_model):
        try:
            found = look(path)
        except ModelError:
            continue
        except Exception as error:
            pytest.fail(f"{look.__name__} after a change of {what}: {error!r}")
        else:
            obstacle = getattr(found, "obstacle", None)
            assert obstacle is None or obstacle.error != "InternalError", f"{what}: {obstacle.sentence}"


@pytest.mark.parametrize("seed", range(15))
def test_a_changed_field_of_an_ml_program(tmp_path, small_package, seed):
    package = shutil.copytree(small_package, tmp_path / "m.mlpackage")
    taken_or_refused(package, changed(next(package.rglob("model.mlmodel")), seed))


@pytest.mark.parametrize("seed", range(15))
def test_a_changed_field_of_a_neural_network(tmp_path, network, seed):
    path = shutil.copy(network, tmp_path / "m.mlmodel")
    taken_or_refused(path, changed(path, seed))


def changed(file, seed):
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    what = damage(specification, random.Random(seed))
    file.write_bytes(specification.SerializeToString())
    return what


@pytest.mark.parametrize("seed", range(10))
def test_turned_bits_and_a_lost_end(tmp_path, small_package, network, seed):
    chance = random.Random(seed)
    package = shutil.copytree(small_package, tmp_path / "m.mlpackage")
    single = shutil.copy(network, tmp_path / "m.mlmodel")
    for path, file in ((package, next(package.rglob("model.mlmodel"))), (single, single)):
        content = bytearray(file.read_bytes())
        for _ in range(chance.randrange(4)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        file.write_bytes(content[: chance.randrange(len(content)) if chance.random() < 0.3 else None])
        taken_or_refused(path, "bits")


@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"\x80\x04]pickle", b"\xff\xd8\xff\xe0JFIF", b"\0" * 100, b""])
def test_files_of_other_kinds(tmp_path, content):
    file = tmp_path / "other.mlmodel"
    file.write_bytes(content)
    with pytest.raises(ModelUnreadable):
        inspect_model(file)


@pytest.mark.parametrize("side", ["input", "output"])
def test_two_features_of_one_name_are_refused(tmp_path, network, side):
    specification = Model_pb2.Model()
    specification.ParseFromString(network.read_bytes())
    features = getattr(specification.description, side)
    features.add().CopyFrom(features[0])
    file = tmp_path / "twice.mlmodel"
    file.write_bytes(specification.SerializeToString())
    with pytest.raises(ModelUnreadable, match=f"“{features[0].name}” twice"):
        inspect_model(file)
