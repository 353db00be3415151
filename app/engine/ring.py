"""Samples of a run in memory that the engine process and its client share.

The engine process writes, the client reads, and neither ever waits for the other. Each slot carries the running number
of its sample and a checksum over both, so that a reader can tell a whole sample from a torn one in whatever order the
processor accesses memory (Apple Silicon may show a later write before an earlier one). The memory has no name: when
both processes are gone, however they went, nothing is left.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import tempfile
import threading
import zlib

import numpy as np

from app.errors import storage_error

CAPACITY = 32_768
"""Samples that fit; older ones are overwritten."""

SAMPLE = np.dtype(
    [
        ("run", np.uint64),
        ("index", np.uint64),
        ("warmup", np.uint8),
        ("end_ns", np.int64),
        ("prepare_ns", np.int64),
        ("engine_ns", np.int64),
        ("total_ns", np.int64),
        ("footprint", np.int64),
        ("mlx_active", np.int64),
        ("mlx_cache", np.int64),
        ("mlx_peak", np.int64),
    ],
    align=True,
)
"""One sample. `run` is the request's number, `index` counts from 0 with the warm-up, `end_ns` is the `perf_counter_ns`
of the moment when the labels were in hand (one clock for all processes), `total_ns` lasts from the decoded photo to
there. Memory is in bytes, -1 when it was not read with this sample."""

NOT_READ = -1

_SLOT = np.dtype([("number", np.uint64), ("sample", SAMPLE), ("check", np.uint64)])
_SLOT_BYTES = _SLOT.itemsize
_BODY = struct.Struct("@QQQB7xqqqqqqqq")  # the slot without its checksum
_CHECK = struct.Struct("@Q")
_CHECKED_BYTES = _SLOT_BYTES - _CHECK.size
assert _BODY.size == _CHECKED_BYTES

# The header is one cache line: number of slots, number of samples written so far.
_HEADER_BYTES = 64
_CAPACITY_AT, _COUNT_AT = 0, 1


class SampleWriter:
    """The engine process's side. One thread writes."""

    def __init__(self, fd: int) -> None:
        """Map the memory behind `fd`, which may be closed afterwards."""
        self._map = mmap.mmap(fd, os.fstat(fd).st_size)
        self._header = memoryview(self._map).cast("Q")
        self._capacity = self._header[_CAPACITY_AT]
        self._count = self._header[_COUNT_AT]

    def write(
        self,
        run: int,
        index: int,
        warmup: bool,
        end_ns: int,
        prepare_ns: int,
        engine_ns: int,
        total_ns: int,
        footprint: int = NOT_READ,
        mlx_active: int = NOT_READ,
        mlx_cache: int = NOT_READ,
        mlx_peak: int = NOT_READ,
    ) -> None:
        """Add one sample. Takes a few microseconds and never waits."""
        body = _BODY.pack(
            self._count,
            run,
            index,
            warmup,
            end_ns,
            prepare_ns,
            engine_ns,
            total_ns,
            footprint,
            mlx_active,
            mlx_cache,
            mlx_peak,
        )
        start = _HEADER_BYTES + self._count % self._capacity * _SLOT_BYTES
        self._map[start : start + _SLOT_BYTES] = body + _CHECK.pack(zlib.crc32(body))
        self._count += 1
        self._header[_COUNT_AT] = self._count


class SampleReader:
    """The client's side, and the owner of the memory. Any thread may read, each sample is handed out once."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Raises StorageError when there is no room for the memory."""
        size = _HEADER_BYTES + capacity * _SLOT_BYTES
        self.fd = _nameless_memory(size)
        """To be passed to the engine process; -1 after `close_fd`."""
        self.lost = 0
        """Samples that were overwritten before they were read."""
        self._map = mmap.mmap(self.fd, size)
        self._header = memoryview(self._map).cast("Q")
        self._header[_CAPACITY_AT] = capacity
        self._capacity = capacity
        self._next = 0
        self._kept: np.ndarray | None = None
        self._lock = threading.Lock()

    def read(self) -> np.ndarray:
        """The samples since the last read, oldest first, dtype SAMPLE; a copy. Empty when there are none."""
        with self._lock:
            if self._kept is not None:
                kept, self._kept = self._kept, np.empty(0, SAMPLE)
                return kept
            return self._read_new()

    def close_fd(self) -> None:
        """Let go of the descriptor once the engine process has its own."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def close(self) -> None:
        """Unmap the memory. What was not read yet is kept for one last `read`."""
        with self._lock:
            if self._kept is None:
                self._kept = self._read_new()
                self._header.release()
                self._map.close()
                self.close_fd()

    def _read_new(self) -> np.ndarray:
        end = self._header[_COUNT_AT]
        self._skip_to(end - self._capacity)
        copy = self._copy(self._next, end)
        slots = np.frombuffer(copy, _SLOT)
        good = np.zeros(len(slots), bool)
        for place, (number, check) in enumerate(zip(slots["number"].tolist(), slots["check"].tolist(), strict=True)):
            start = place * _SLOT_BYTES
            if number == self._next and zlib.crc32(copy[start : start + _CHECKED_BYTES]) == check:
                good[place] = True
                self._next += 1
            elif self._next <= self._header[_COUNT_AT] - self._capacity:
                self._skip_to(self._next + 1)  # overwritten while it was read
            else:
                break  # counted already, but not yet visible here: the next read gets it
        return slots["sample"][good]

    def _skip_to(self, number: int) -> None:
        if number > self._next:
            self.lost += number - self._next
            self._next = number

    def _copy(self, start: int, end: int) -> bytes:
        """Slots `start` up to `end`, at most all of them, as they are at this moment: some may be torn."""
        if end <= start:
            return b""
        first, last = start % self._capacity, (end - 1) % self._capacity + 1
        parts = [(first, last)] if first < last else [(first, self._capacity), (0, last)]
        return b"".join(self._map[_HEADER_BYTES + a * _SLOT_BYTES : _HEADER_BYTES + b * _SLOT_BYTES] for a, b in parts)


def _nameless_memory(size: int) -> int:
    """A descriptor of `size` zero bytes that can be mapped and passed on, and vanishes with its last holder."""
    try:
        if sys.platform == "linux":
            fd = os.memfd_create("samples")
            os.ftruncate(fd, size)
            return fd
        # Elsewhere an unlinked file. It is filled now: writing through a mapping to a disk that has become full would
        # kill the process.
        with tempfile.TemporaryFile(prefix="samples") as file:
            file.write(bytes(size))
            file.flush()
            return os.dup(file.fileno())
    except OSError as error:
        raise storage_error(tempfile.gettempdir(), error) from error
