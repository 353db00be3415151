"""Frames arrive whole and in order, or the break is told."""

import socket
import struct
import threading

import msgspec
import numpy as np
import pytest

from app.engine import wire
from app.engine.messages import Classify, Close, RunStarted, SetPhoto, Stage, Stop
from app.engine.wire import client_wire, host_wire
from app.errors import BrokenFrame


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_arrive_in_order_in_both_directions(ends):
    client, host = client_wire(ends[0]), host_wire(ends[1])
    asked = [Stop(), Classify(request=1, photo=2, crop="centre"), Close()]
    for message in asked:
        client.send(message)
    assert [host.receive() for _ in asked] == asked
    told = [Stage(name="reading"), RunStarted(request=3)]
    for message in told:
        host.send(message)
    assert [client.receive() for _ in told] == told


def test_a_photo_of_many_megapixels_arrives_whole_and_is_not_copied_again(ends):
    client, host = client_wire(ends[0]), host_wire(ends[1])
    pixels = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), np.uint8)
    message = SetPhoto(photo=1, width=4000, height=3000, pixels=memoryview(pixels).cast("B"))
    sending = threading.Thread(target=client.send, args=(message,))
    sending.start()
    received = host.receive()
    sending.join()
    arrived = np.frombuffer(received.pixels, np.uint8)
    assert isinstance(received.pixels.obj, bytearray), "a view of the frame"
    np.testing.assert_array_equal(arrived, pixels.ravel())


def test_messages_of_several_threads_are_not_mixed(ends):
    client, host = client_wire(ends[0]), host_wire(ends[1])
    photos = [SetPhoto(photo=n, width=1, height=100_000, pixels=memoryview(bytes([n]) * 300_000)) for n in range(8)]
    threads = [threading.Thread(target=client.send, args=(photo,)) for photo in photos]
    for thread in threads:
        thread.start()
    received = [host.receive() for _ in photos]
    for thread in threads:
        thread.join()
    assert sorted(one.photo for one in received) == list(range(8))
    assert all(set(bytes(one.pixels)) == {one.photo} for one in received)


def test_nothing_comes_after_the_other_side_closed(ends):
    client, host = client_wire(ends[0]), host_wire(ends[1])
    client.send(Stop())
    client.close()
    assert host.receive() == Stop()
    assert host.receive() is None


def test_the_beginning_of_a_frame_is_lost_with_its_sender(ends):
    host = host_wire(ends[1])
    ends[0].sendall(struct.pack(">I", 100) + b"half")
    ends[0].close()
    assert host.receive() is None


def test_closing_wakes_a_thread_that_receives(ends):
    client = client_wire(ends[0])
    answers = []
    receiving = threading.Thread(target=lambda: answers.append(client.receive()))
    receiving.start()
    client.close()
    receiving.join(20)
    assert answers == [None]


def test_sending_to_nobody_is_an_os_error(ends):
    client = client_wire(ends[0])
    ends[1].close()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        client.send(Stop())


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", wire.MAX_FRAME_BYTES + 1),
        struct.pack(">I", 0),
        struct.pack(">I", 4) + b"\xff\xff\xff\xff",
        struct.pack(">I", 5) + b"hello",
    ],
)
def test_a_broken_frame_is_told(ends, frame):
    host = host_wire(ends[1])
    ends[0].sendall(frame)
    with pytest.raises(BrokenFrame):
        host.receive()


def test_a_message_for_the_other_side_is_broken(ends):
    client, host = client_wire(ends[0]), host_wire(ends[1])
    host.send(Stop())
    with pytest.raises(BrokenFrame, match="Stop"):
        client.receive()


def test_a_message_larger_than_a_frame_is_not_sent(ends, monkeypatch):
    monkeypatch.setattr(wire, "MAX_FRAME_BYTES", 100)
    with pytest.raises(BrokenFrame, match="SetPhoto"):
        client_wire(ends[0]).send(SetPhoto(photo=1, width=1, height=1, pixels=memoryview(bytes(101))))


def test_the_largest_photo_fits_into_a_frame():
    largest = SetPhoto(photo=2**63, width=2**32, height=2**32, pixels=memoryview(b""))
    assert len(msgspec.msgpack.encode(largest)) + wire.MAX_PHOTO_BYTES < wire.MAX_FRAME_BYTES
