"""The table of lowerings."""

import pytest
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

from app.compiler.ops.registry import TABLE, lowers

OURS = {"image", "pointwise_conv", "unfolded_conv", "banded_conv"}
"""Kinds that only passes make."""


def test_an_operation_is_lowered_once():
    with pytest.raises(ValueError, match="relu is lowered twice"):
        lowers("relu")(lambda x: x)


def test_every_kind_is_one_that_mil_knows():
    known = set(SSAOpRegistry.core_ops)
    assert set(TABLE) - OURS <= known


def test_every_input_of_mil_is_named_by_the_lowering():
    lacking = {}
    for kind in set(TABLE) - OURS:
        for version in SSAOpRegistry.core_ops[kind].values():
            missing = set(version.input_spec.input_types) - set(TABLE[kind].parameters)
            if missing:
                lacking[kind] = missing
    assert lacking == {}
