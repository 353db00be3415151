"""Curves of rectangles: on whole pixels, without holes, with dashes that stay on the curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.charts.strokes import band_rects, column_edges, dash_mask, line_rects, shade_rects
from app.ui.swatch import DASHES

NOWHERE = np.zeros(5, bool)
EVERYWHERE = np.ones(5, bool)
EDGES = np.arange(6.0)


@given(st.integers(1, 1000), st.integers(1, 4000), st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0]))
def test_edges_lie_on_device_pixels_and_fill_the_width(count: int, width: int, ratio: float) -> None:
    device = column_edges(count, width, ratio) * ratio
    assert device[0] == 0
    assert abs(device[-1] - width * ratio) <= 0.5 + 1e-9
    assert np.allclose(device, np.round(device))
    assert (np.diff(device) >= 0).all()


@given(st.lists(st.floats(-500, 500), min_size=2, max_size=40))
def test_neighbours_touch_however_steep_the_curve(y: list[float]) -> None:
    count = len(y)
    rects = line_rects(np.arange(count + 1.0), np.array(y), np.zeros(count, bool), np.ones(count, bool), 2.0)
    top, bottom = rects[:, 1], rects[:, 1] + rects[:, 3]
    assert (top[1:] <= bottom[:-1]).all()
    assert (top[:-1] <= bottom[1:]).all()
    assert (rects[:, 3] >= 2.0 - 1e-9).all()


def test_a_break_is_not_bridged() -> None:
    y = np.array([0.0, 0.0, 100.0, 100.0, 100.0])
    joined = line_rects(EDGES, y, NOWHERE, EVERYWHERE, 2.0)
    broken = line_rects(EDGES, y, np.arange(5) == 2, EVERYWHERE, 2.0)
    assert joined[:, 3].max() > 50
    assert broken[:, 3].max() == 2


def test_nothing_is_drawn_where_there_is_no_value() -> None:
    y = np.array([1.0, np.nan, np.nan, 4.0, 5.0])
    rects = line_rects(EDGES, y, NOWHERE, EVERYWHERE, 2.0)
    assert rects[:, 0].tolist() == [0, 3, 4]
    assert np.isfinite(rects).all()
    assert len(band_rects(EDGES, y, y + 3, EVERYWHERE)) == 3


def test_a_band_thinner_than_its_curve_is_left_out() -> None:
    top = np.zeros(5)
    assert len(band_rects(EDGES, top, np.array([0.0, 1, 2, 3, 4]), EVERYWHERE, least=2.0)) == 2


def test_a_shade_is_one_rectangle_a_stretch() -> None:
    rects = shade_rects(EDGES, 50.0, np.array([True, True, False, False, True]))
    assert rects.tolist() == [[0, 0, 2, 50], [4, 0, 1, 50]]
    assert len(shade_rects(EDGES, 50.0, NOWHERE)) == 0


@pytest.mark.parametrize("dash", DASHES)
def test_dashes_move_with_the_curve(dash: str) -> None:
    before = dash_mask(dash, 1000, 400, 1.25)
    after = dash_mask(dash, 1003, 400, 1.25)
    assert np.array_equal(before[3:], after[:-3])


def test_every_line_style_looks_different() -> None:
    assert len({dash_mask(dash, 0, 300, 1.0).tobytes() for dash in DASHES}) == len(DASHES)
    assert dash_mask("solid", 0, 300, 1.0).all()
    for dash in set(DASHES) - {"solid"}:
        shown = dash_mask(dash, 0, 300, 1.0)
        assert 0.3 < shown.mean() < 0.95, dash
