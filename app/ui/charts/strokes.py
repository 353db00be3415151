"""Curves as upright rectangles, one a pixel column.

Stroking a path with a wide pen costs Qt's raster engine 20 to 600 ms a frame for curves like ours; the same picture
made of rectangles costs about a millisecond. A dash pattern is a choice of columns, so it costs nothing and stays fixed
to the curve while that scrolls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.ui.charts.columns import Line
from app.ui.swatch import DASHES

_BETWEEN = 1.0
"""Thickness of a curve between its dashes, in pixels."""

_DASH_UNIT = 2.5
"""Pixels that stand for 1 in `DASHES`."""


@dataclass(frozen=True)
class Stroke:
    """Rectangles of one colour: float64 (n, 4) of x, y, width, height in the item's pixels."""

    rects: np.ndarray
    colour: QColor


class StrokeItem(QGraphicsItem):
    """Draws strokes, first one lowest, within an area of its parent. Made once; `show_strokes` is its only change."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self.strokes: Sequence[Stroke] = ()
        self._area = QRectF()
        self._rects = PrimitiveArray(QRectF, 4)

    def set_area(self, area: QRectF) -> None:
        """Where strokes can be, in the parent's pixels."""
        self.prepareGeometryChange()
        self._area = area

    def show_strokes(self, strokes: Sequence[Stroke]) -> None:
        """Replace everything that is drawn."""
        self.strokes = strokes
        self.update()

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        # Sides lie on whole device pixels; smoothing is for tops and bottoms, and costs little with rectangles.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        for stroke in self.strokes:
            if len(stroke.rects):
                self._rects.resize(len(stroke.rects))
                self._rects.ndarray()[:] = stroke.rects
                painter.setBrush(stroke.colour)
                painter.drawRects(*self._rects.drawargs())


def column_edges(count: int, width: float, pixel_ratio: float) -> np.ndarray:
    """Left edges of `count` columns over `width` pixels and the last one's right edge, on whole device pixels."""
    return np.round(np.arange(count + 1) * (width * pixel_ratio / count)) / pixel_ratio


def line_rects(edges: np.ndarray, y: np.ndarray, breaks: np.ndarray, shown: np.ndarray, thickness: float) -> np.ndarray:
    """The curve `y` (pixels, nan: nothing) as rectangles where `shown`; neighbours touch except over a break."""
    to_left = np.full(len(y), np.nan)
    to_left[1:] = np.where(breaks[1:], np.nan, (y[1:] + y[:-1]) / 2)
    to_right = np.full(len(y), np.nan)
    to_right[:-1] = to_left[1:]
    top = np.fmin(np.fmin(y, to_left), to_right) - thickness / 2
    bottom = np.fmax(np.fmax(y, to_left), to_right) + thickness / 2
    return _rects(edges, top, bottom, shown & np.isfinite(y))


def band_rects(
    edges: np.ndarray, top: np.ndarray, bottom: np.ndarray, shown: np.ndarray, least: float = 0.0
) -> np.ndarray:
    """What lies between two curves (pixels, nan: nothing) as rectangles where `shown` and higher than `least`."""
    return _rects(edges, top, bottom, shown & (bottom - top > least))


def shade_rects(edges: np.ndarray, height: float, shown: np.ndarray) -> np.ndarray:
    """Full-height rectangles, one for each run of columns that are `shown`."""
    ends = np.flatnonzero(np.diff(shown, prepend=False, append=False)).reshape(-1, 2)
    left, right = edges[ends[:, 0]], edges[ends[:, 1]]
    return np.column_stack((left, np.zeros(len(ends)), right - left, np.full(len(ends), height)))


def _rects(edges: np.ndarray, top: np.ndarray, bottom: np.ndarray, shown: np.ndarray) -> np.ndarray:
    left = edges[:-1]
    return np.column_stack((left, top, edges[1:] - left, bottom - top))[shown]


def dashed_strokes(
    edges: np.ndarray,
    line: Line,
    y: np.ndarray,
    shown: np.ndarray,
    dash: str,
    thickness: float,
    ink: tuple[str, str | None],
) -> list[Stroke]:
    """A curve in a line style: dashes in the first colour of `ink`, what lies between them thin in the second.

    Where a curve is rough, a dash that simply stopped would look like a gap in the measurement; a smooth one can do
    without the second colour.
    """
    count = len(y)
    dashes = dash_mask(dash, line.first, count, edges[-1] / count)
    strokes = [Stroke(line_rects(edges, y, line.breaks, shown & dashes, thickness), QColor(ink[0]))]
    if ink[1] and not dashes.all():
        strokes.insert(0, Stroke(line_rects(edges, y, line.breaks, shown & ~dashes, _BETWEEN), QColor(ink[1])))
    return strokes


def dash_mask(dash: str, first: int, count: int, column_px: float) -> np.ndarray:
    """bool per column: part of a dash. `first` is the running number of the first column."""
    pattern = DASHES[dash]
    if not pattern:
        return np.ones(count, bool)
    ends = np.cumsum(pattern) * _DASH_UNIT
    at = ((first + np.arange(count)) * column_px) % ends[-1]
    return np.searchsorted(ends, at, "right") % 2 == 0


def with_alpha(colour: str, alpha: float) -> QColor:
    """`colour` with an opacity of 0 to 1."""
    made = QColor(colour)
    made.setAlphaF(alpha)
    return made
