"""The engine process, spoken to over its socket. What a client sees of it is in test_client.py."""

import socket
import struct
import subprocess

import pytest

from app.engine.child import child_environment
from app.engine.messages import Classify, Close, Failed, Load, Loaded, SetPhoto, Stage, Started, Stop
from app.engine.ring import SampleReader
from app.engine.wire import client_wire


@pytest.fixture
def host(fake_command):
    """A host process, our end of its socket, and the raw socket."""
    ours, theirs = socket.socketpair()
    ring = SampleReader(16)
    command = [*fake_command, "--fd", str(theirs.fileno()), "--ring-fd", str(ring.fd)]
    process = subprocess.Popen(
        command, pass_fds=(theirs.fileno(), ring.fd), env=child_environment(), stderr=subprocess.PIPE, text=True
    )
    theirs.close()
    wire = client_wire(ours)
    assert isinstance(wire.receive(), Started)
    yield process, wire, ours
    process.kill()
    process.communicate()
    wire.close()
    ring.close()


def loaded(host, lane):
    process, wire, raw = host
    wire.send(Load(lane=lane, cache_folder="/nowhere"))
    while not isinstance(wire.receive(), Loaded):
        pass
    return process, wire, raw


def test_close_ends_it_well_before_and_after_loading(host, lane):
    process, wire, _ = host
    wire.send(Close())
    assert process.wait(20) == 0
    assert wire.receive() is None


def test_close_ends_it_well_after_loading(host, lane):
    process, wire, _ = loaded(host, lane())
    wire.send(Close())
    assert process.wait(20) == 0


def test_it_ends_when_the_client_is_gone_even_while_loading(host, lane):
    process, wire, _ = host
    wire.send(Load(lane=lane("hangs-while-loading"), cache_folder="/nowhere"))
    assert isinstance(wire.receive(), Stage)
    wire.close()
    assert process.wait(20) == 0


def test_what_it_does_not_understand_ends_it(host, lane):
    process, _, raw = loaded(host, lane())
    raw.sendall(struct.pack(">I", 3) + b"\xc1\xc1\xc1")
    assert process.wait(20) == 1
    assert "not understood" in process.stderr.read()


def test_a_request_before_load_ends_it(host):
    process, wire, _ = host
    wire.send(Classify(request=1, photo=1, crop="centre"))
    assert process.wait(20) == 1
    assert "Classify before Load" in process.stderr.read()


def test_stop_without_a_run_is_no_mistake(host, lane):
    process, wire, _ = loaded(host, lane())
    wire.send(Stop())
    wire.send(Close())
    assert process.wait(20) == 0


def test_a_photo_that_it_does_not_have_fails_the_request(host, lane):
    _, wire, _ = loaded(host, lane())
    wire.send(SetPhoto(photo=1, width=1, height=1, pixels=memoryview(bytes(3))))
    wire.send(Classify(request=7, photo=2, crop="centre"))
    failed = wire.receive()
    assert isinstance(failed, Failed)
    assert (failed.request, failed.error) == (7, "BrokenFrame")


def test_probabilities_that_are_no_numbers_are_no_answer(host, lane):
    _, wire, _ = loaded(host, lane("no-numbers"))
    wire.send(SetPhoto(photo=1, width=1, height=1, pixels=memoryview(bytes(3))))
    wire.send(Classify(request=7, photo=1, crop="centre"))
    failed = wire.receive()
    assert isinstance(failed, Failed)
    assert (failed.error, failed.fields["model"]) == ("NoNumbers", "no-numbers")


def test_pixels_that_are_too_few_end_it(host, lane):
    process, wire, _ = loaded(host, lane())
    wire.send(SetPhoto(photo=1, width=2, height=2, pixels=memoryview(bytes(3))))
    assert process.wait(20) == 1
