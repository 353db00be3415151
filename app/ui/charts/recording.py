"""What the charts draw and how it is looked at: one state, shared by all charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.i18n import _
from app.ui.charts.buffer import Clock, LaneBuffer
from app.ui.charts.lane_style import LaneStyle
from app.ui.charts.time_window import TimeWindow

_PATIENCE_NS = 1_000_000_000


@dataclass
class Recording:
    """Lanes in the order in which they are shown, with what is known of each."""

    lanes: tuple[LaneStyle, ...] = ()
    buffers: dict[str, LaneBuffer] = field(default_factory=dict)
    clock: Clock = Clock.ENGINE
    log: bool = False
    running: bool = False
    """Samples are on their way."""
    time: TimeWindow = field(default_factory=TimeWindow)

    def set_lanes(self, lanes: Sequence[LaneStyle]) -> None:
        """Show these lanes. A lane that stays keeps its samples."""
        self.lanes = tuple(lanes)
        self.buffers = {lane.key: self.buffers.get(lane.key) or LaneBuffer() for lane in lanes}

    def each(self) -> Iterator[tuple[LaneStyle, LaneBuffer]]:
        """Every lane that has samples."""
        for lane in self.lanes:
            if len(self.buffers[lane.key].raw):
                yield lane, self.buffers[lane.key]

    def any_samples(self) -> bool:
        """There is something to draw."""
        return next(self.each(), None) is not None

    def hint(self, at_rest: str) -> str:
        """What an empty chart says: how to fill it, or that it is about to be filled."""
        return _("Waiting for the first samples") if self.running else at_rest

    def version(self) -> int:
        """Differs whenever any lane's samples changed."""
        return sum(buffer.version for buffer in self.buffers.values())

    def follow(self, now_ns: int) -> None:
        """Let the time window follow the samples. A slow lane is waited for, two inferences long."""
        newest, patience_ns = None, _PATIENCE_NS
        for _lane, buffer in self.each():
            last = buffer.raw.rows()[-1]
            newest = max(newest or 0, int(last["end_ns"]))
            patience_ns = max(patience_ns, int(2e6 * last["total"]))
        self.time.follow(now_ns, newest, patience_ns)
