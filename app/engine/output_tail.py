"""The end of what a child process printed, for the report of its death."""

from __future__ import annotations

import threading
from typing import IO

_KEPT_BYTES = 8192


class OutputTail:
    """Reads a child's output on a thread of its own, so that the child can never block on printing."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Takes over `stream` and closes it at its end."""
        self._stream = stream
        self._tail = b""
        self._thread = threading.Thread(target=self._read, name="output of an engine process", daemon=True)
        self._thread.start()

    def finish(self, timeout_s: float = 1.0) -> str:
        """The last lines; waits for the end of the output for `timeout_s` at most: somebody else may hold it open."""
        self._thread.join(timeout_s)
        return self._tail.decode("utf-8", "replace").strip()

    def _read(self) -> None:
        with self._stream as stream:
            while chunk := stream.read1(65536):  # type: ignore[attr-defined]
                self._tail = (self._tail + chunk)[-_KEPT_BYTES:]
