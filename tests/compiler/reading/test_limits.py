"""A small file that asks for a huge tensor is refused by name, soon, and without the memory."""

import resource
import shutil
import time

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.proto import MIL_pb2, Model_pb2

from app.compiler import compile_model
from app.compiler.program import Operation, Program, Value
from app.compiler.reading.limits import refuse_declared, refuse_large, refusing_inferred
from app.errors import ModelError, ModelUnreadable, UnsupportedModel

pytestmark = pytest.mark.mlx
INTS, FLOATS = MIL_pb2.DataType.Value("INT32"), MIL_pb2.DataType.Value("FLOAT32")


def give_type(declared, shape, kind):
    declared.tensorType.dataType, declared.tensorType.rank = kind, len(shape)
    for size in shape:
        declared.tensorType.dimensions.add().constant.size = size


def give_input(operation, name, given):
    """A name, or numbers written in place."""
    binding = operation.inputs[name].arguments.add()
    if isinstance(given, str) and given == "image":
        binding.name = given
        return
    if isinstance(given, str):
        give_type(binding.value.type, (), MIL_pb2.DataType.Value("STRING"))
        binding.value.immediateValue.tensor.strings.values.append(given)
        return
    array = np.asarray(given)
    whole = array.dtype.kind == "i"
    give_type(binding.value.type, array.shape, INTS if whole else FLOATS)
    tensor = binding.value.immediateValue.tensor
    (tensor.ints if whole else tensor.floats).values.extend(array.reshape(-1).tolist())


def with_operation(package, kind, claimed, **inputs):
    """The package with one operation more at the start of its program, which claims to give that shape."""
    file = next(package.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    (block,) = specification.mlProgram.functions["main"].block_specializations.values()
    operation = MIL_pb2.Operation(type=kind)
    for name, given in inputs.items():
        give_input(operation, name, given)
    result = operation.outputs.add(name="added")
    give_type(result.type, claimed, FLOATS)
    rest = list(block.operations)
    del block.operations[:]
    block.operations.extend([operation, *rest])
    file.write_bytes(specification.SerializeToString())
    return package


MILLION, BILLION = 10**6, 10**9
COLUMN = np.zeros((MILLION, 1), np.float32)
CASES = {
    "fill": {"shape": [MILLION, MILLION], "value": 1.0},
    "tile": {"x": "image", "reps": [BILLION, 1, 1, 1]},
    "range_1d": {"start": 0.0, "end": 1e12, "step": 1.0},
    "pad": {"x": "image", "pad": [0, 0, 0, 0, 0, BILLION, 0, 0], "mode": "constant", "constant_val": 0.0},
    "upsample_nearest_neighbor": {"x": "image", "scale_factor_height": 1e6, "scale_factor_width": 1e6},
    "resize_bilinear": {
        "x": "image",
        "target_size_height": MILLION,
        "target_size_width": MILLION,
        "sampling_mode": "DEFAULT",
    },
    "one_hot": {"indices": [1] * 100, "one_hot_vector_size": BILLION, "axis": -1, "on_value": 1.0, "off_value": 0.0},
    "conv": {
        "x": "image",
        "weight": np.zeros((1, 3, 1, 1), np.float32),
        "pad_type": "custom",
        "pad": [BILLION, BILLION, BILLION, BILLION],
        "strides": [1, 1],
        "dilations": [1, 1],
        "groups": 1,
    },
    "add": {"x": COLUMN, "y": COLUMN.T},
    "matmul": {"x": COLUMN, "y": COLUMN.T},
}


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("claimed", ["small", "large"])
def test_a_huge_result_is_refused_by_name(tmp_path, small_package, kind, claimed):
    shape = (1, 2) if claimed == "small" else (MILLION, MILLION)
    package = with_operation(shutil.copytree(small_package, tmp_path / "a.mlpackage"), kind, shape, **CASES[kind])
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(UnsupportedModel, match=kind) as caught:
        compile_model(package)
    assert time.monotonic() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes
    assert "0" in caught.value.fields["details"]["shape"]


def test_sizes_that_wrap_round_in_32_bits_are_refused(tmp_path, small_package):
    package = shutil.copytree(small_package, tmp_path / "a.mlpackage")
    with_operation(package, "tile", (1, 2), x=np.zeros((65536, 2), np.float32), reps=[65536, 1])
    with pytest.raises(ModelError):
        compile_model(package)


def test_large_results_of_constants_are_not_evaluated_while_loading(tmp_path, small_package):
    package = shutil.copytree(small_package, tmp_path / "a.mlpackage")
    with_operation(package, "fill", (20000, 20000), shape=[20000, 20000], value=1.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert compile_model(package).labels == ("ant", "bee", "cat")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # of 1,600,000


def test_large_constants_are_kept(run_mil):
    weight = np.ones((2100, 2000), np.float32)
    with refusing_inferred("m"):
        result = run_mil(lambda x: mb.linear(x=x, weight=weight), np.ones((1, 2000), np.float32))
    np.testing.assert_array_equal(result, np.full((1, 2100), 2000))


def field(number, content):
    """One length-delimited field of a protobuf message."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def number(message, name):
    return message.DESCRIPTOR.fields_by_name[name].number


def test_blocks_ten_thousand_deep(tmp_path, small_package):
    package = shutil.copytree(small_package, tmp_path / "deep.mlpackage")
    file = next(package.rglob("model.mlmodel"))
    specification = Model_pb2.Model()
    specification.ParseFromString(file.read_bytes())
    blocks, operations = number(MIL_pb2.Operation, "blocks"), number(MIL_pb2.Block, "operations")
    block = b""
    for _ in range(10_000):
        block = field(operations, field(number(MIL_pb2.Operation, "type"), b"cond") + field(blocks, block))
    specialised = field(number(MIL_pb2.Function, "block_specializations"), field(1, b"CoreML6") + field(2, block))
    # A function of its own, in a second piece of the program message; protobuf joins the two.
    functions = field(number(MIL_pb2.Program, "functions"), field(1, b"other") + field(2, specialised))
    tag = number(Model_pb2.Model, "mlProgram") << 3 | 2
    file.write_bytes(specification.SerializeToString() + bytes([tag & 127 | 128, tag >> 7]) + field(0, functions)[1:])
    start = time.monotonic()
    with pytest.raises(ModelUnreadable, match="damaged"):
        compile_model(package)
    assert time.monotonic() - start < 5


def test_blocks_that_protobuf_still_reads_are_refused_beyond_a_depth():
    function = MIL_pb2.Function()
    block = function.block_specializations["CoreML6"]
    for _ in range(45):
        block = block.operations.add(type="cond").blocks.add()
    with pytest.raises(UnsupportedModel, match="nested"):
        refuse_declared(function, "deep")


@pytest.mark.parametrize(
    ("shape", "refused"), [((2**31,), True), ((2**20, 2**20), True), ((2**10, 2**10), False), ((), False)]
)
def test_our_own_program(shape, refused):
    x, y = Value("x", (1,), "fp16"), Value("y", shape, "fp16")
    program = Program((x,), (Operation("relu", {"x": x}, (y,)),), (("y", y),))
    if refused:
        with pytest.raises(UnsupportedModel, match="relu y"):
            refuse_large(program, "m")
    else:
        refuse_large(program, "m")
