"""The newest rows of something that never ends, in a fixed amount of memory."""

from __future__ import annotations

import numpy as np


class NewestRows:
    """The last `keep` rows appended, always readable as one contiguous array.

    A quarter more than `keep` is reserved; rows move to the front once in a quarter of `keep` appends, which costs less
    than joining the two halves of a ring at each reading. Pages of the reserve that were never written take no memory.
    """

    def __init__(self, dtype: np.dtype, keep: int) -> None:
        self._rows = np.empty(keep + max(1, keep // 4), dtype)
        self._keep = keep
        self._start = 0
        self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def rows(self) -> np.ndarray:
        """View of all rows, oldest first; valid until the next `append`."""
        return self._rows[self._start : self._stop]

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end; the oldest ones leave when there are more than `keep`."""
        rows = rows[-self._keep :]
        if self._stop + len(rows) > len(self._rows):
            kept = (
                self.rows()[len(self) + len(rows) - self._keep :] if len(self) + len(rows) > self._keep else self.rows()
            )
            self._rows[: len(kept)] = kept.copy()
            self._start, self._stop = 0, len(kept)
        self._rows[self._stop : self._stop + len(rows)] = rows
        self._stop += len(rows)
        self._start = max(self._start, self._stop - self._keep)

    def drop_last(self) -> None:
        """Forget the newest row, if there is one."""
        self._stop = max(self._start, self._stop - 1)

    def clear(self) -> None:
        """Forget all rows."""
        self._start = self._stop = 0
