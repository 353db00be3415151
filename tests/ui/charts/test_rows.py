"""The newest rows are kept, in order, in a fixed amount of memory."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.ui.charts.rows import NewestRows

ROW = np.dtype([("value", "i8")])


def rows(first: int, count: int) -> np.ndarray:
    made = np.zeros(count, ROW)
    made["value"] = np.arange(first, first + count)
    return made


@given(st.integers(1, 20), st.lists(st.integers(0, 50), max_size=30))
def test_the_last_rows_stay_whatever_the_portions(keep: int, portions: list[int]) -> None:
    kept, first = NewestRows(ROW, keep), 0
    for count in portions:
        kept.append(rows(first, count))
        first += count
        assert kept.rows()["value"].tolist() == list(range(max(0, first - keep), first))
        assert len(kept) == min(keep, first)


def test_memory_does_not_grow() -> None:
    kept = NewestRows(ROW, 100)
    kept.append(rows(0, 1))
    storage = kept.rows().base
    for first in range(1, 10_000, 7):
        kept.append(rows(first, 7))
    assert kept.rows().base is storage
    assert storage is not None
    assert storage.nbytes == 125 * ROW.itemsize


def test_the_last_row_can_be_taken_back() -> None:
    kept = NewestRows(ROW, 3)
    kept.append(rows(0, 5))
    kept.drop_last()
    assert kept.rows()["value"].tolist() == [2, 3]
    for _ in range(5):
        kept.drop_last()
    assert len(kept) == 0


def test_clear_forgets_everything() -> None:
    kept = NewestRows(ROW, 3)
    kept.append(rows(0, 5))
    kept.clear()
    assert len(kept) == 0
    kept.append(rows(9, 1))
    assert kept.rows()["value"].tolist() == [9]
