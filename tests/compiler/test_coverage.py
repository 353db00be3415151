"""The table of MIL's operations says what the code does."""

from pathlib import Path

import pytest
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

import app.compiler
from app.compiler.coverage import REFUSED, REMARKS, coverage, markdown
from app.compiler.ops.registry import TABLE

pytestmark = pytest.mark.mlx


def test_every_operation_of_mil_has_one_row():
    kinds = [row.kind for row in coverage()]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == {*SSAOpRegistry.core_ops, *SSAOpRegistry.dialect_ops}


def test_every_refusal_has_a_reason():
    assert [row.kind for row in coverage() if row.state == "refused" and not row.remark] == []


def test_no_reason_is_left_over():
    refused = {row.kind for row in coverage() if row.state == "refused"}
    assert set(REFUSED) - refused == set()
    assert set(REMARKS) - {row.kind for row in coverage() if row.remark} == set()


def test_what_has_a_lowering_runs():
    runs = {row.kind for row in coverage() if row.state == "runs"}
    assert runs == {row.kind for row in coverage()} & set(TABLE)


def test_a_row_knows_its_op_sets():
    by_kind = {row.kind: row for row in coverage()}
    assert by_kind["topk"].op_sets == ("iOS15", "iOS16", "iOS17")
    assert by_kind["slice_update"].op_sets == ("iOS18",)
    assert by_kind["topk"].family == "tensor_operation"


def test_the_page_is_up_to_date():
    page = Path(app.compiler.__file__).with_name("COVERAGE.md")
    assert page.read_text(encoding="utf-8") == markdown(coverage()), "write it with python -m app.compiler.coverage"
