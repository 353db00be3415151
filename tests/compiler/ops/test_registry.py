"""The table of lowerings."""

from pathlib import Path

import pytest
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

import app.compiler
from app.compiler.ops.registry import TABLE, lowers

COMPILER = Path(app.compiler.__file__).parent


def test_an_operation_is_lowered_once():
    with pytest.raises(ValueError, match="relu is lowered twice"):
        lowers("relu")(lambda x: x)


def test_every_kind_is_one_that_mil_knows_or_a_pass_makes():
    ours = set(TABLE) - set(SSAOpRegistry.core_ops)
    elsewhere = [path for path in COMPILER.rglob("*.py") if COMPILER / "ops" not in path.parents]
    text = "".join(path.read_text(encoding="utf-8") for path in elsewhere)
    # "attention", or "cpu_attention" put together from an operation's kind
    made = [kind for kind in ours if f'"{kind}"' in text or f'"{kind.split("_")[0]}_{{' in text]
    assert ours - set(made) == set()


def test_every_input_of_mil_is_named_by_the_lowering():
    lacking = {}
    for kind in set(TABLE) & set(SSAOpRegistry.core_ops):
        for version in SSAOpRegistry.core_ops[kind].values():
            missing = set(version.input_spec.input_types) - set(TABLE[kind].parameters)
            if missing:
                lacking[kind] = missing
    assert lacking == {}


@pytest.mark.parametrize(
    "family", ["activation", "conv", "pool", "normalization", "image_resizing", "quantization_ops"]
)
def test_the_families_of_image_networks_are_whole(family):
    members = {
        kind
        for kind, versions in SSAOpRegistry.core_ops.items()
        if any(version.__module__.endswith(f".{family}") for version in versions.values())
    }
    assert members
    assert members <= set(TABLE)
