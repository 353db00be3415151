"""Freed memory is kept where the C library is one that can be told so."""

import platform
import sys

from app.machine.allocation import keep_freed_memory


def test_it_is_kept_with_the_gnu_library_alone():
    gnu = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
    assert keep_freed_memory() == gnu


def test_elsewhere_nothing_is_called(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
