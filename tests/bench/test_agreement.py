"""Two lanes agree when a reader would take their answers for the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.bench.agreement import SENTENCES, compare, reason_sentence


def spread_over(count, **likely):
    """Probabilities of `count` classes: the given ones, the rest shared evenly."""
    row = np.full(count, (1 - sum(likely.values())) / (count - len(likely)))
    for name, probability in likely.items():
        row[int(name[1:])] = probability
    return row


rows = arrays(np.float64, st.integers(2, 30), elements=st.floats(0.001, 1)).map(lambda row: row / row.sum())


@given(rows)
def test_a_row_agrees_with_itself(row):
    found = compare(row, row)
    assert found.agrees
    assert found.same_top1
    assert (found.top5_overlap, found.largest_difference) == (1.0, 0.0)
    assert found.cosine == pytest.approx(1)


@given(st.data())
def test_figures_do_not_depend_on_who_is_the_reference(data):
    row = data.draw(rows)
    other = data.draw(arrays(np.float64, row.size, elements=st.floats(0.001, 1)))
    one, two = compare(row, other), compare(other, row)
    assert one.largest_difference == two.largest_difference
    assert one.cosine == pytest.approx(two.cosine)
    assert one.top5_overlap == two.top5_overlap


def test_another_first_answer_disagrees():
    found = compare(spread_over(10, c1=0.8), spread_over(10, c2=0.8))
    assert not found.agrees
    assert not found.same_top1
    assert found.reasons == ("top-1", "difference", "cosine")


def test_two_equally_likely_classes_may_change_places():
    found = compare(spread_over(10, c1=0.41, c2=0.40), spread_over(10, c1=0.40, c2=0.41))
    assert not found.same_top1
    assert found.agrees


def test_five_points_are_the_limit():
    reference = spread_over(1000, c3=0.8)
    assert compare(reference, spread_over(1000, c3=0.751)).agrees
    found = compare(reference, spread_over(1000, c3=0.749))
    assert found.reasons == ("difference",)
    assert found.largest_difference == pytest.approx(0.051)


def test_many_small_differences_disagree_through_their_direction():
    """Where no class is likely, a wrong row has no single large difference; its direction gives it away."""
    random = np.random.default_rng(5)
    right, wrong = (row / row.sum() for row in random.random((2, 1000)))
    found = compare(right, wrong)
    assert found.largest_difference < 0.05
    assert found.reasons == ("cosine",)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_disagrees(bad):
    other = spread_over(10, c1=0.8)
    other[4] = bad
    found = compare(spread_over(10, c1=0.8), other)
    assert not found.agrees
    assert found.reasons == ("not-finite",)


def test_overlap_counts_common_answers():
    right = np.array([0.3, 0.2, 0.15, 0.12, 0.1, 0.05, 0.04, 0.04])
    other = np.array([0.3, 0.2, 0.15, 0.12, 0.04, 0.05, 0.1, 0.04])
    assert compare(right, other).top5_overlap == pytest.approx(0.8)


def test_few_classes_overlap_among_themselves():
    assert compare([0.6, 0.4], [0.61, 0.39]).top5_overlap == 1.0


def test_zero_rows_have_no_direction():
    assert compare(np.zeros(4), np.zeros(4)).cosine == 0.0


@pytest.mark.parametrize(("right", "other"), [([1.0], [0.5, 0.5]), ([], []), ([[1.0]], [[1.0]])])
def test_rows_of_other_classes_are_refused(right, other):
    with pytest.raises(ValueError, match="same classes"):
        compare(right, other)


@pytest.mark.parametrize("reason", SENTENCES)
def test_every_reason_has_a_sentence(reason):
    assert reason_sentence(reason)
