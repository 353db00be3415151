"""Work away from the window's thread: the newest wins, nothing comes after close."""

from __future__ import annotations

import threading

import pytest

from app.errors import InternalError, PhotoMissing
from app.ui.errand import Errand

pytestmark = pytest.mark.gui


def test_the_work_is_done_in_another_thread_and_delivered_in_ours(qtbot):
    errand, seen = Errand("x"), []
    errand.done.connect(lambda ticket, result: seen.append((ticket, result)))
    ticket = errand.ask(threading.get_ident)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0] == ticket
    assert seen[0][1] != threading.get_ident()
    errand.close()


def test_what_was_not_begun_yet_is_dropped_for_something_newer(qtbot):
    errand, begun, go_on, done = Errand("x"), threading.Event(), threading.Event(), []
    errand.done.connect(lambda _ticket, result: done.append(result))
    errand.ask(lambda: (begun.set(), go_on.wait(20), "first")[-1])
    assert begun.wait(20)
    errand.ask(lambda: "second")
    last = errand.ask(lambda: "third")
    go_on.set()
    qtbot.waitUntil(lambda: len(done) == 2)
    assert done == ["first", "third"]
    assert errand.is_newest(last)
    assert not errand.is_newest(1)
    errand.close()


def test_errors_arrive_as_errors_of_ours(qtbot):
    errand, seen = Errand("x"), []
    errand.failed.connect(lambda _ticket, error: seen.append(error))

    def missing() -> None:
        raise PhotoMissing(photo="a.jpg")

    errand.ask(missing)
    qtbot.waitUntil(lambda: len(seen) == 1)
    errand.ask(lambda: 1 / 0)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert isinstance(seen[0], PhotoMissing)
    assert isinstance(seen[1], InternalError)
    errand.close()


def test_nothing_is_delivered_after_close(qtbot):
    errand, seen = Errand("x"), []
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    errand.done.connect(lambda *given: seen.append(given))
    errand.ask(lambda: (begun.set(), go_on.wait(20), ended.set()))
    assert begun.wait(20)
    errand.close()
    go_on.set()
    assert ended.wait(20)
    qtbot.wait(50)
    assert seen == []
