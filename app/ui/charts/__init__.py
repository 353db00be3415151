"""Live charts."""

from app.ui.charts.chart_area import ChartArea
from app.ui.charts.lane_style import LaneStyle

__all__ = ["ChartArea", "LaneStyle"]
