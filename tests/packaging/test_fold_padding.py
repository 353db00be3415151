"""Padding with zeros goes into the convolution behind it, and any other padding stays."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY

ROOT = Path(__file__).resolve().parents[2]

spec = importlib.util.spec_from_file_location("fold_padding", ROOT / "packaging" / "fold_padding.py")
assert spec
assert spec.loader
fold_padding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fold_padding)

WEIGHT = np.ones((2, 3, 3, 3), np.float32)
BIAS = np.array([1, 2], np.float32)


def fold(build):
    """The program that `build` makes of a 1×3×8×8 input, after the pass."""
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, 3, 8, 8))])(build)
    PASS_REGISTRY[fold_padding.NAME](program)
    return program


def kinds(program):
    return [op.op_type for op in program.functions["main"].operations if op.op_type != "const"]


def test_uneven_zeros_become_custom_padding_of_the_convolution():
    def build(x):
        padded = mb.pad(x=x, pad=[0, 0, 0, 0, 0, 1, 2, 3], mode="constant", constant_val=0.0)
        return mb.conv(x=padded, weight=WEIGHT, bias=BIAS, strides=[2, 2], pad_type="valid", name="result")

    program = fold(build)
    (conv,) = program.functions["main"].find_ops(op_type="conv")
    assert kinds(program) == ["conv"]
    assert conv.pad_type.val == "custom"
    assert list(conv.pad.val) == [0, 1, 2, 3]
    assert list(conv.strides.val) == [2, 2]
    assert conv.bias.val.tolist() == [1, 2]
    assert conv.outputs[0].shape == (1, 2, 4, 6)
    assert program.functions["main"].outputs[0] is conv.outputs[0]


def test_a_convolution_without_a_bias_gets_none():
    def build(x):
        padded = mb.pad(x=x, pad=[1, 1, 1, 1], mode="constant", constant_val=0.0)
        return mb.conv(x=padded, weight=WEIGHT, pad_type="valid")

    program = fold(build)
    (conv,) = program.functions["main"].find_ops(op_type="conv")
    assert kinds(program) == ["conv"]
    assert conv.bias is None


@pytest.mark.parametrize(
    "padding",
    [
        {"pad": [0, 0, 0, 0, 1, 1, 1, 1], "mode": "constant", "constant_val": 1.0},
        {"pad": [0, 0, 0, 0, 1, 1, 1, 1], "mode": "reflect"},
        {"pad": [1, 0, 0, 0, 1, 1, 1, 1], "mode": "constant", "constant_val": 0.0},
    ],
    ids=["other value", "reflected", "more images"],
)
def test_padding_that_a_convolution_does_not_have_stays(padding):
    program = fold(lambda x: mb.conv(x=mb.pad(x=x, **padding), weight=WEIGHT, pad_type="valid"))
    assert kinds(program) == ["pad", "conv"]


def test_padding_that_something_else_uses_too_stays():
    def build(x):
        padded = mb.pad(x=x, pad=[0, 0, 0, 0, 1, 1, 1, 1], mode="constant", constant_val=0.0)
        return mb.conv(x=padded, weight=WEIGHT, pad_type="valid"), mb.relu(x=padded)

    assert kinds(fold(build)) == ["pad", "conv", "relu"]


def test_a_convolution_that_pads_by_itself_keeps_both():
    def build(x):
        padded = mb.pad(x=x, pad=[0, 0, 0, 0, 1, 1, 1, 1], mode="constant", constant_val=0.0)
        return mb.conv(x=padded, weight=WEIGHT, pad_type="same")

    assert kinds(fold(build)) == ["pad", "conv"]


def test_padding_whose_result_leaves_the_program_stays():
    def build(x):
        padded = mb.pad(x=x, pad=[0, 0, 0, 0, 1, 1, 1, 1], mode="constant", constant_val=0.0)
        return padded, mb.conv(x=padded, weight=WEIGHT, pad_type="valid")

    assert kinds(fold(build)) == ["pad", "conv"]
