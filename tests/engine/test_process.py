"""A process is started, killed with what it started, and reaped whatever state it is in."""

import sys

import psutil
import pytest

from app.engine import process as processes
from app.engine.process import EngineProcess
from app.engine.ring import SampleReader


@pytest.fixture
def start():
    """Starts Python code as an engine process; what is left of it is killed at the end."""
    started = []
    ring = SampleReader(4)

    def start_one(code):
        one = EngineProcess([sys.executable, "-c", f"import sys, os, subprocess, threading\n{code}"], None, ring.fd)
        started.append(one)
        return one

    yield start_one
    for one in started:
        one.kill()
        one.reap()
    ring.close()


def test_what_it_printed_and_how_it_ended_is_told(start):
    process = start("print('out'); print('err', file=sys.stderr); sys.exit(4)")
    assert process.wire.receive() is None
    how, last_words = process.reap()
    assert how == "exit status 4"
    assert {"out", "err"} <= set(last_words.split())


def test_a_process_that_closes_its_channel_and_goes_on_is_killed(start, monkeypatch):
    monkeypatch.setattr(processes, "_EXIT_S", 0.1)
    process = start("os.close(int(sys.argv[sys.argv.index('--fd') + 1])); threading.Event().wait()")
    assert process.wire.receive() is None
    assert process.reap()[0] == "signal SIGKILL"
    assert not psutil.pid_exists(process.pid)


def test_what_it_started_is_killed_with_it(start):
    process = start("subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE); print(); os.wait()")
    me = psutil.Process(process.pid)
    while not me.children():
        assert me.is_running()
    (grandchild,) = me.children()
    process.kill()
    assert process.reap()[0] == "signal SIGKILL"
    grandchild.wait(20)


def test_killing_it_again_is_no_mistake(start):
    process = start("threading.Event().wait()")
    process.kill()
    process.reap()
    process.kill()


def test_a_process_that_does_not_even_die_is_not_waited_for_for_ever(start, monkeypatch):
    monkeypatch.setattr(processes, "_EXIT_S", 0.05)
    monkeypatch.setattr(processes, "_KILLED_S", 0.05)
    process = start("threading.Event().wait()")
    kill = process.kill
    monkeypatch.setattr(process, "kill", lambda: None)
    monkeypatch.setattr(process._output, "finish", lambda: "")
    assert process.reap()[0] == "killed, but it does not end"
    kill()


def test_no_descriptor_is_left_when_the_program_does_not_exist():
    me, ring = psutil.Process(), SampleReader(4)
    before = me.num_fds()
    with pytest.raises(FileNotFoundError):
        EngineProcess(["/nonexistent"], None, ring.fd)
    assert me.num_fds() == before
    ring.close()
