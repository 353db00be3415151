"""Memory over time: the process's footprint, and what MLX's own allocator says of itself."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtWidgets import QWidget

from app.i18n import N_, _
from app.ui.charts.axis import RestingTop, linear_ticks
from app.ui.charts.buffer import MEMORY_KINDS
from app.ui.charts.columns import Line, Span, memory_lines
from app.ui.charts.crosshair import Reading, ReadoutRow
from app.ui.charts.recording import Recording
from app.ui.charts.strokes import Stroke, column_edges, dashed_strokes
from app.ui.charts.time_chart import TimeChart, time_title
from app.ui.numbers import MB, show_number, with_unit
from app.ui.theme import Theme, mixed

# The order says that the last three are MLX's, so that the legend fits beside two other charts.
KIND_NAMES = {
    "footprint": N_("process"),
    "active": N_("MLX active"),
    "cache": N_("cache"),
    "peak": N_("peak"),
}
_FOOTPRINT_THICKNESS = 2.4
_MLX_THICKNESS = 1.2
_BETWEEN = 0.35
"""Share of the lane's colour between the dashes of a footprint, the rest being the card's."""

_MLX_DASHES = {"active": "solid", "cache": "dash", "peak": "dot"}


class MemoryChart(TimeChart):
    """x: seconds relative to the window's end; y: MB, from zero.

    Thick lines in the lane's own style are the process's footprint, thin ones in a style a kind are MLX's figures.
    """

    def __init__(self, recording: Recording, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(recording, theme, parent)
        self._top = RestingTop(100.0)
        self._lines: dict[str, dict[str, Line]] = {}

    def fit(self) -> None:
        """Choose the y range for what is in sight, and refresh all texts. Twice a second."""
        self._compute(self.span())
        present = [kind for kind in MEMORY_KINDS if any(buffer.has_kind[kind] for _, buffer in self.recording.each())]
        self.frame.title = _("Memory")
        self.frame.subtitle = MB
        self.set_kinds([(_(KIND_NAMES[kind]), *self._line_style(kind, "solid")) for kind in present])
        self.frame.hint = self._hint(bool(present))
        seen = [one.middle for lines in self._lines.values() for one in lines.values()]
        highest = [float(np.nanmax(one)) for one in seen if np.isfinite(one).any()]
        y_range = self.y_zoom or (0.0, self._top.fit(max(highest, default=None), time.monotonic()))
        self.frame.y_ticks = linear_ticks(*y_range)
        self.set_ranges(self.fit_time_axis(), y_range)
        self.refresh_frame()

    def reset_scale(self) -> None:
        """Forget the resting range: other data follow."""
        self._top.reset()
        self.draw_again()

    def spoken(self) -> tuple[str, str]:
        return _("Memory over time"), _("Megabytes that each engine process and MLX keep, one curve a lane and kind")

    def readout(self, x: float) -> Reading:
        kinds = [kind for kind in MEMORY_KINDS if any(kind in lines for lines in self._lines.values())]
        rows = []
        for lane in self.recording.lanes:
            lines = self._lines.get(lane.key, {})
            values = [self._value(lines.get(kind), x) for kind in kinds]
            if np.isfinite(values).any():
                cells = tuple("" if np.isnan(value) else with_unit(show_number(value), MB) for value in values)
                rows.append(ReadoutRow(lane.colour, lane.dash, lane.name, cells))
        headings = tuple(_(KIND_NAMES[kind]) for kind in kinds)
        return Reading(time_title(self.recording.time, x), headings, tuple(rows))

    def _value(self, line: Line | None, x: float) -> float:
        return np.nan if line is None else float(line.middle[self.column_at(x, len(line.middle))])

    def _hint(self, any_reading: bool) -> str:
        if not self.recording.any_samples():
            return self.recording.hint(_("Press Run live to see what each engine keeps in memory"))
        return "" if any_reading else _("Memory is not available here")

    @staticmethod
    def _line_style(kind: str, lane_dash: str) -> tuple[str, float]:
        """Dash and thickness of one kind of memory."""
        return (lane_dash, _FOOTPRINT_THICKNESS) if kind == "footprint" else (_MLX_DASHES[kind], _MLX_THICKNESS)

    def _compute(self, where: Span) -> None:
        self._lines = {
            lane.key: memory_lines(buffer, [kind for kind in MEMORY_KINDS if buffer.has_kind[kind]], where)
            for lane, buffer in self.recording.each()
        }

    def _draw_curves(self, where: Span) -> None:
        self._compute(where)
        edges = column_edges(where.count, self.plot_size()[0], self.devicePixelRatioF())
        everywhere = np.ones(where.count, bool)
        strokes: list[Stroke] = []
        for lane in self.recording.lanes:
            for kind, one in reversed(self._lines.get(lane.key, {}).items()):  # the footprint lies on top
                dash, thickness = self._line_style(kind, lane.dash)
                between = mixed(self.frame.theme.card, lane.colour, _BETWEEN) if kind == "footprint" else None
                ink = (lane.colour, between)
                strokes += dashed_strokes(edges, one, self.y_pixels(one.middle), everywhere, dash, thickness, ink)
        self.show_strokes(strokes)
