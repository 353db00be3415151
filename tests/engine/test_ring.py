"""Samples come out as they went in, from another process, at any speed; what was overwritten is counted."""

import multiprocessing
import os
import sys

import numpy as np
import pytest

from app.engine import ring
from app.engine.ring import SAMPLE, SampleReader, SampleWriter
from app.errors import StorageError


@pytest.fixture
def make():
    """Makes a reader and a writer of the same memory."""
    readers = []

    def make_one(capacity):
        reader = SampleReader(capacity)
        readers.append(reader)
        return reader, SampleWriter(reader.fd)

    yield make_one
    for reader in readers:
        reader.close()


def write(writer, start, stop):
    """Samples whose every field follows from their number."""
    for n in range(start, stop):
        writer.write(n, n + 1, n % 2, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9)


def check(samples):
    """Every field must follow from the sample's number, else it is a mixture of two."""
    n = samples["run"].astype(np.int64)
    np.testing.assert_array_equal(samples["index"], n + 1)
    np.testing.assert_array_equal(samples["warmup"], n % 2)
    for place, name in enumerate(SAMPLE.names[3:], start=2):
        np.testing.assert_array_equal(samples[name], n + place, name)
    assert (np.diff(n) > 0).all()


def test_the_fields_of_a_sample_are_those_that_others_read():
    assert SAMPLE.names == (
        "run", "index", "warmup", "end_ns", "prepare_ns", "engine_ns", "total_ns",
        "footprint", "mlx_active", "mlx_cache", "mlx_peak",
    )  # fmt: skip
    assert ring.CAPACITY >= 32_768


def test_every_sample_is_read_once(make):
    reader, writer = make(16)
    assert len(reader.read()) == 0
    write(writer, 0, 5)
    samples = reader.read()
    check(samples)
    assert samples["run"].tolist() == [0, 1, 2, 3, 4]
    assert len(reader.read()) == 0
    write(writer, 5, 7)
    assert reader.read()["run"].tolist() == [5, 6]


def test_samples_run_round_the_end_of_the_memory(make):
    reader, writer = make(16)
    for start in range(0, 160, 10):
        write(writer, start, start + 10)
        samples = reader.read()
        check(samples)
        assert samples["run"].tolist() == list(range(start, start + 10))
    assert reader.lost == 0


def test_the_oldest_are_lost_and_counted_when_nobody_reads(make):
    reader, writer = make(16)
    write(writer, 0, 50)
    assert reader.read()["run"].tolist() == list(range(34, 50))
    assert reader.lost == 34


def test_what_is_not_given_is_marked_as_not_read(make):
    reader, writer = make(4)
    writer.write(1, 2, True, 3, 4, 5, 6)
    (sample,) = reader.read()
    assert sample["footprint"] == sample["mlx_active"] == sample["mlx_cache"] == sample["mlx_peak"] == ring.NOT_READ


PARTS = [(0, 8), (0, 40), (8, 16), (40, 80), (96, 104)]
"""Of a slot, in bytes: its number, the number and more, a field, the middle, the checksum."""


@pytest.mark.parametrize(("begin", "end"), PARTS)
def test_a_sample_that_is_counted_but_not_there_yet_is_read_later(make, begin, end):
    """What a processor that reorders writes can show: the count first, then the sample."""
    reader, writer = make(16)
    write(writer, 0, 3)
    slot = ring._HEADER_BYTES + 1 * ring._SLOT_BYTES
    content = writer._map[slot + begin : slot + end]
    writer._map[slot + begin : slot + end] = bytes(end - begin)
    assert reader.read()["run"].tolist() == [0]
    writer._map[slot + begin : slot + end] = content
    assert reader.read()["run"].tolist() == [1, 2]
    assert reader.lost == 0


@pytest.mark.parametrize(("begin", "end"), PARTS)
def test_a_sample_that_is_being_overwritten_is_lost_and_not_read_torn(make, begin, end):
    reader, writer = make(4)
    write(writer, 0, 4)
    slot = ring._HEADER_BYTES
    writer._map[slot + begin : slot + end] = bytes([9]) * (end - begin)  # a part of sample 4, over sample 0
    samples = reader.read()
    check(samples)
    assert samples["run"].tolist() == [1, 2, 3]
    assert reader.lost == 1


def _write_in_another_process(fd, count):
    writer = SampleWriter(fd)
    os.close(fd)
    write(writer, 0, count)


def test_another_process_writes_as_fast_as_it_can_and_nothing_is_torn():
    """A small memory, so that the writer overtakes the reader again and again."""
    reader, count = SampleReader(64), 150_000
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=_write_in_another_process, args=(reader.fd, count))
    writer.start()
    read, last = 0, -1
    while last < count - 1:
        samples = reader.read()
        if len(samples):
            check(samples)
            assert samples["run"][0] > last
            last = int(samples["run"][-1])
            read += len(samples)
        assert writer.is_alive() or writer.exitcode == 0
    writer.join()
    assert read + reader.lost == count
    assert read > 64
    assert reader.lost > 0, "the writer never overtook the reader, so this test shows nothing"
    reader.close()


def test_what_was_not_read_can_be_read_once_after_closing(make):
    reader, writer = make(16)
    write(writer, 0, 3)
    reader.close()
    reader.close()
    assert reader.read()["run"].tolist() == [0, 1, 2]
    assert len(reader.read()) == 0


def test_closing_leaves_no_descriptor_open():
    before = os.listdir("/dev/fd")
    reader = SampleReader(16)
    reader.close_fd()
    reader.close()
    assert os.listdir("/dev/fd") == before


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_memory_has_no_name(monkeypatch, tmp_path, platform):
    if platform == "linux" and sys.platform != "linux":
        pytest.skip("memfd_create is a call of Linux")
    monkeypatch.setattr(ring.sys, "platform", platform)
    monkeypatch.setattr(ring.tempfile, "tempdir", str(tmp_path))
    reader = SampleReader(16)
    write(SampleWriter(reader.fd), 0, 3)
    assert list(tmp_path.iterdir()) == []
    assert reader.read()["run"].tolist() == [0, 1, 2]
    reader.close()


def test_no_room_for_the_memory_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(ring.sys, "platform", "darwin")
    monkeypatch.setattr(ring.tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match="missing"):
        SampleReader(16)
