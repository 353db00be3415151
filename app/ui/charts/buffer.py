"""What the charts remember of one lane: the newest samples one by one, an hour of them in short bins, its memory.

All of it is bounded: 32,768 samples, 108,000 bins of 1/30 s, 36,000 memory readings, about 6.5 MB a lane when full.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from app.ui.charts.rows import NewestRows

BIN_NS = 1_000_000_000 // 30
"""Length of a bin: 900 of them fill the usual 30 s window, about one a pixel column."""

KEPT_S = 3600
KEPT_SAMPLES = 32_768

_MEMORY_NS = 100_000_000
_PAUSE_NS = 500_000_000
"""Time between the end of a sample and the start of the next from which on "nothing was measured"."""


class Clock(StrEnum):
    """Which of a sample's clocks is drawn."""

    ENGINE = "engine"
    END_TO_END = "total"


RAW = np.dtype([("end_ns", "i8"), ("engine", "f4"), ("total", "f4"), ("warmup", "?"), ("gap", "?")])
"""One sample; `engine` and `total` in ms, `gap`: nothing was measured before it."""

BIN = np.dtype([("bin", "i8"), ("engine", "f4", 3), ("total", "f4", 3), ("warmup", "?"), ("gap", "?")])
"""The samples that ended in one bin: lowest, median and highest of each clock in ms. `bin` is end_ns // BIN_NS."""

MEMORY = np.dtype(
    [("at_ns", "i8"), ("footprint", "f4"), ("active", "f4"), ("cache", "f4"), ("peak", "f4"), ("gap", "?")]
)
"""One reading in MB (10⁶ bytes), nan for what was not read."""

MEMORY_KINDS = ("footprint", "active", "cache", "peak")
_MEMORY_FIELDS = ("footprint", "mlx_active", "mlx_cache", "mlx_peak")


class LaneBuffer:
    """Fed with samples in the order in which they ended. One thread."""

    def __init__(self) -> None:
        self.raw = NewestRows(RAW, KEPT_SAMPLES)
        self.bins = NewestRows(BIN, KEPT_S * 1_000_000_000 // BIN_NS)
        self.memory = NewestRows(MEMORY, KEPT_S * 1_000_000_000 // _MEMORY_NS)
        self.has_kind = dict.fromkeys(MEMORY_KINDS, False)
        """Which readings of memory ever came."""
        self.version = 0
        """Grows with every change, so that drawing can tell whether there is anything new."""
        self._last: tuple[int, int] | None = None  # run and end_ns of the newest sample
        self._gap_next = False
        self._open_rows = 0  # newest samples that belong to the last, unfinished bin

    def clear(self) -> None:
        """Forget everything."""
        for kept in (self.raw, self.bins, self.memory):
            kept.clear()
        self.has_kind = dict.fromkeys(MEMORY_KINDS, False)
        self._last, self._gap_next, self._open_rows = None, False, 0
        self.version += 1

    def set_gap(self) -> None:
        """The next sample does not continue the curve."""
        self._gap_next = True

    def newest_ns(self) -> int | None:
        """End of the newest sample, perf_counter_ns; None when there is none."""
        return int(self.raw.rows()["end_ns"][-1]) if len(self.raw) else None

    def add(self, samples: np.ndarray) -> None:
        """Take over samples, an array of `app.engine.ring.SAMPLE`."""
        if not len(samples):
            return
        gap = self._gaps(samples)
        rows = np.empty(len(samples), RAW)
        rows["end_ns"] = samples["end_ns"]
        rows["engine"] = samples["engine_ns"] / 1e6
        rows["total"] = samples["total_ns"] / 1e6
        rows["warmup"] = samples["warmup"] != 0
        rows["gap"] = gap
        self.raw.append(rows)
        self._add_bins(len(rows))
        self._add_memory(samples, gap)
        self.version += 1

    def measured_ms(self, clock: Clock) -> np.ndarray:
        """The kept samples without the warm-up."""
        rows = self.raw.rows()
        return rows[clock.value][~rows["warmup"]]

    def _gaps(self, samples: np.ndarray) -> np.ndarray:
        """bool per sample: the curve breaks before it. The very first sample has nothing to connect to."""
        run = samples["run"].astype(np.int64)
        end = samples["end_ns"]
        before_run, before_end = self._last if self._last else (int(run[0]), int(end[0]))
        pause = end - samples["total_ns"] - np.concatenate(([before_end], end[:-1]))
        gap = (pause > _PAUSE_NS) | (run != np.concatenate(([before_run], run[:-1])))
        gap[0] |= self._gap_next or self._last is None
        self._gap_next = False
        self._last = (int(run[-1]), int(end[-1]))
        return gap

    def _add_bins(self, added: int) -> None:
        tail = self.raw.rows()[-(self._open_rows + added) :]
        if self._open_rows:
            self.bins.drop_last()
        bins, self._open_rows = _binned(tail)
        self.bins.append(bins)

    def _add_memory(self, samples: np.ndarray, gap: np.ndarray) -> None:
        """Keep the samples that carry a reading, one each tenth of a second."""
        read = np.flatnonzero(np.any([samples[name] >= 0 for name in _MEMORY_FIELDS], axis=0))
        for i in read:
            at_ns = int(samples["end_ns"][i])
            last = self.memory.rows()[-1] if len(self.memory) else None
            broken = last is None or bool(gap[np.searchsorted(samples["end_ns"], last["at_ns"], "right") : i + 1].any())
            if last is not None and not broken and at_ns - int(last["at_ns"]) < _MEMORY_NS:
                continue
            row = np.zeros(1, MEMORY)
            row["at_ns"], row["gap"] = at_ns, broken
            for kind, name in zip(MEMORY_KINDS, _MEMORY_FIELDS, strict=True):
                row[kind] = samples[name][i] / 1e6 if samples[name][i] >= 0 else np.nan
                self.has_kind[kind] |= bool(samples[name][i] >= 0)
            self.memory.append(row)


def _binned(rows: np.ndarray) -> tuple[np.ndarray, int]:
    """RAW rows -> BIN rows, and how many of the rows fell into the last bin."""
    number = rows["end_ns"] // BIN_NS
    starts = np.concatenate(([0], np.flatnonzero(number[1:] != number[:-1]) + 1))
    counts = np.diff(np.concatenate((starts, [len(rows)])))
    bins = np.empty(len(starts), BIN)
    bins["bin"] = number[starts]
    for clock in Clock:
        ordered = rows[clock.value][np.lexsort((rows[clock.value], number))]
        bins[clock.value][:, 0] = ordered[starts]
        bins[clock.value][:, 1] = (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2
        bins[clock.value][:, 2] = ordered[starts + counts - 1]
    bins["warmup"] = np.logical_or.reduceat(rows["warmup"], starts)
    bins["gap"] = np.logical_or.reduceat(rows["gap"], starts)
    return bins, int(counts[-1])
