"""The memory of a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.machine.footprint import footprint_bytes, parse_pss

ROLLUP = """55d0c8a4e000-7ffd1a5fe000 ---p 00000000 00:00 0                          [rollup]
Rss:               10780 kB
Pss:                5431 kB
Pss_Dirty:          3028 kB
Pss_Anon:           3028 kB
Shared_Clean:       7752 kB
SwapPss:               0 kB
"""
MAPPINGS = """55d0c8a4e000-55d0c8a50000 r--p 00000000 08:01 131 /usr/bin/sleep
Rss:                   8 kB
Pss:                   4 kB
55d0c8a50000-55d0c8a54000 r-xp 00002000 08:01 131 /usr/bin/sleep
Rss:                  16 kB
Pss:                  16 kB
"""

measured = pytest.mark.skipif(footprint_bytes() is None, reason="this system counts no footprint")


@pytest.fixture
def child():
    """A Python process that takes 64 MiB when told, and answers each line."""
    code = """if True:
        import sys
        kept = []
        for line in sys.stdin:
            kept.append(b"\\x01" * (int(line) << 20))
            print("done", flush=True)
    """
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def tell(process: subprocess.Popen[str], mebibytes: int) -> None:
    process.stdin.write(f"{mebibytes}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_the_sum_is_read():
    assert parse_pss(ROLLUP) == 5431 * 1024


def test_a_list_of_mappings_is_summed():
    assert parse_pss(MAPPINGS) == 20 * 1024


def test_nothing_to_read_is_none_not_zero():
    assert parse_pss("") is None


@measured
def test_this_process_has_a_plausible_footprint():
    assert 4 << 20 < footprint_bytes() < 64 << 30


@measured
def test_what_a_process_takes_shows_in_its_footprint(child):
    tell(child, 0)
    before = footprint_bytes(child.pid)
    tell(child, 64)
    assert 60 << 20 < footprint_bytes(child.pid) - before < 80 << 20


def test_a_process_that_is_gone_has_none(child):
    child.stdin.close()
    child.wait(10)
    assert footprint_bytes(child.pid) is None


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs waitid to wait without reaping")
def test_a_zombie_has_none(child):
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert footprint_bytes(child.pid) is None
