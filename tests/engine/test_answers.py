"""The best answers come first, and ties do not depend on chance."""

import numpy as np

from app.engine.answers import top_answers

LABELS = ("tabby", "tiger cat", "lynx", "fox")


def test_the_most_probable_classes_come_first():
    answers = top_answers(np.array([0.1, 0.6, 0.05, 0.25], np.float32), LABELS, 2)
    assert [(a.index, a.label) for a in answers] == [(1, "tiger cat"), (3, "fox")]
    assert answers[0].probability == np.float32(0.6)


def test_of_equals_the_earlier_class_comes_first():
    assert [a.index for a in top_answers(np.full(4, 0.25, np.float32), LABELS, 4)] == [0, 1, 2, 3]


def test_more_answers_than_classes_are_all_classes():
    assert len(top_answers(np.full(4, 0.25, np.float32), LABELS, 10)) == 4
    assert top_answers(np.full(4, 0.25, np.float32), LABELS, 0) == ()


def test_what_is_no_number_is_never_the_best():
    assert top_answers(np.array([np.nan, 0.2, 0.3, 0.1], np.float32), LABELS, 1)[0].index == 2
