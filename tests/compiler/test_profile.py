"""Every operation is counted in the group that a person looks for it in."""

import pytest

from app.compiler.ops.registry import TABLE
from app.compiler.profile import group_of
from app.library.model_words import GROUPS

pytestmark = pytest.mark.mlx


@pytest.mark.parametrize("kind", sorted(TABLE))
def test_every_operation_has_a_group_with_a_name(kind):
    assert group_of(kind) in GROUPS


@pytest.mark.parametrize("kind", [kind for kind in sorted(TABLE) if kind.startswith("cpu_")])
def test_the_form_that_the_cpu_runs_counts_as_the_operation_itself(kind):
    assert group_of(kind) == group_of(kind.removeprefix("cpu_"))


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("scaled_dot_product_attention", "attention"),
        ("lstm", "recurrent layers"),
        ("resample", "resizing"),
        ("non_maximum_suppression", "box suppression"),
        ("fused_linear", "matrix product"),
        ("fused_depthwise", "convolution"),
        ("concat", "data movement"),
    ],
)
def test_what_is_no_movement_of_data_is_not_called_one(kind, group):
    assert group_of(kind) == group
