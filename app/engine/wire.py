"""Messages over a stream socket: one MessagePack frame behind a 4-byte big-endian length.

The channel is a socket pair and not stdout, because Core ML points file descriptor 1 at /dev/null while it compiles.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Generic, TypeVar

import msgspec

from app.engine.messages import Event, Message, Request
from app.errors import BrokenFrame

_LENGTH = struct.Struct(">I")

MAX_FRAME_BYTES = 256 * 2**20
"""A photo of 64 megapixels takes 201 MB; a length beyond this bound can only be a broken frame."""

MAX_PHOTO_BYTES = MAX_FRAME_BYTES - 1024
"""Pixels that fit into a frame beside their description."""

# macOS gives a socket pair 8 KiB, which makes a photo thousands of switches between two processes.
_SOCKET_BUFFER_BYTES = 1 << 20

Received = TypeVar("Received")


class Wire(Generic[Received]):
    """One end of the channel. Any thread may send; one thread receives."""

    def __init__(self, end: socket.socket, receives: msgspec.msgpack.Decoder[Received]) -> None:
        self._socket = end
        self._decoder = receives
        self._encoder = msgspec.msgpack.Encoder()
        self._sending = threading.Lock()
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):  # a smaller buffer is only slower
                end.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)

    def send(self, message: Message) -> None:
        """Send one message; blocks while the other side does not read. The payload is copied once, into the frame.

        Raises OSError when the other side is gone, BrokenFrame when the message is larger than a frame may be.
        """
        frame = self._encoder.encode(message)
        if len(frame) > MAX_FRAME_BYTES:
            raise BrokenFrame(cause=f"{type(message).__name__} of {len(frame)} bytes")
        with self._sending:
            self._socket.sendall(_LENGTH.pack(len(frame)))
            self._socket.sendall(frame)

    def receive(self) -> Received | None:
        """The next message; None when the other side is gone, even in the middle of a frame, which is lost with it.

        Blocks. Pixels of a photo are a view of the received buffer, not a copy. Raises BrokenFrame, after which nothing
        more can be received.
        """
        head = self._read(_LENGTH.size)
        if head is None:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > MAX_FRAME_BYTES:
            raise BrokenFrame(cause=f"length {length}")
        body = self._read(length)
        if body is None:
            return None
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise BrokenFrame(cause=str(error)) from error

    def close(self) -> None:
        """Close this end; the other one receives None. A thread that is receiving here receives None too."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self, length: int) -> bytearray | None:
        buffer = bytearray(length)
        rest = memoryview(buffer)
        while rest:
            try:
                count = self._socket.recv_into(rest)
            except OSError:  # reset by a side that died, or closed by this one
                return None
            if count == 0:
                return None
            rest = rest[count:]
        return buffer


def client_wire(end: socket.socket) -> Wire[Event]:
    """The window's end: sends requests, receives events."""
    return Wire(end, msgspec.msgpack.Decoder(Event))


def host_wire(end: socket.socket) -> Wire[Request]:
    """The engine process's end: sends events, receives requests."""
    return Wire(end, msgspec.msgpack.Decoder(Request))
