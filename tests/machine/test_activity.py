"""Asking macOS not to slow down, with a stand-in for Objective-C; other systems are asked nothing."""

from __future__ import annotations

import ctypes
import sys

import pytest

from app.machine import activity
from app.machine.activity import begin_activity, prefer_fast_cores

TOKEN, INFO, REASON = 77, 5, 6


class Foundation:
    """Notes each message as it would reach Objective-C."""

    def __init__(self) -> None:
        self.messages: list[tuple[object, ...]] = []

    def process_info(self) -> int:
        return INFO

    def string(self, content: str) -> int:
        self.messages.append(("string", content))
        return REASON

    def send(
        self, receiver: int, message: str, result: object = ctypes.c_void_p, *arguments: tuple[object, int]
    ) -> object:
        self.messages.append((receiver, message, *[value for _kind, value in arguments]))
        return TOKEN if message in ("beginActivityWithOptions:reason:", "retain") else None


@pytest.fixture
def foundation(monkeypatch) -> Foundation:
    stand_in = Foundation()
    monkeypatch.setattr(activity, "objc", stand_in)
    monkeypatch.setattr(activity.sys, "platform", "darwin")
    return stand_in


def test_an_activity_is_kept_and_ended_once(foundation):
    running = begin_activity("measuring")
    running.end()
    running.end()
    assert foundation.messages == [
        ("string", "measuring"),
        (INFO, "beginActivityWithOptions:reason:", 0xFF00EFFFFF, REASON),
        (TOKEN, "retain"),
        (INFO, "endActivity:", TOKEN),
        (TOKEN, "release"),
    ]


def test_a_long_run_keeps_the_machine_awake(foundation):
    begin_activity("measuring", keep_awake=True)
    assert foundation.messages[1][2] == 0xFF00FFFFFF


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does have activities")
def test_elsewhere_there_is_nothing_to_ask():
    assert begin_activity("measuring") is None
    assert prefer_fast_cores() is None
