"""What other programs use is the machine's time less ours."""

import os
import subprocess
import sys

import pytest

from app.bench.other_load import CpuTimes, other_load, read_cpu_times


def times(wall, machine, ours):
    return CpuTimes(wall_s=wall, machine_s=machine, ours_s=ours)


def test_share_of_all_cores():
    assert other_load(times(0, 0, 0), times(10, 12, 8), cores=4) == pytest.approx(0.1)


def test_our_own_work_is_no_load():
    assert other_load(times(5, 100, 20), times(6, 102, 22), cores=2) == 0.0


def test_rounding_of_the_clocks_never_leaves_the_range():
    assert other_load(times(0, 0, 0), times(1, 1.0, 1.02), cores=2) == 0.0
    assert other_load(times(0, 0, 0), times(1, 9, 0), cores=2) == 1.0


def test_no_time_no_share():
    assert other_load(times(1, 1, 1), times(1, 1, 1)) is None


WORK = "import time\nwhile time.process_time() < 0.2: pass\n"


def test_child_that_ended_counts_as_ours():
    before = read_cpu_times()
    subprocess.run([sys.executable, "-c", WORK], check=True)
    assert read_cpu_times().ours_s - before.ours_s >= 0.15


def test_living_child_counts_as_ours():
    """The child has spent processor time before it says so; the reading sees it."""
    code = WORK + "print(flush=True); input()"
    before = read_cpu_times()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        after = read_cpu_times()
        child.stdin.close()
    assert after.ours_s - before.ours_s >= 0.15
    assert after.machine_s - before.machine_s >= 0.1 or os.cpu_count() is None
