"""The start of the program: streams that the caller closed, and Ctrl-C before anything runs."""

import subprocess
import sys

import pytest

from app import __main__ as program

REPORT = """
import os, sys
from app import __main__ as program

def run(arguments):
    kinds = [os.fstat(number).st_rdev == os.stat(os.devnull).st_rdev for number in (0, 1, 2)]
    usable = [sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty()]
    inheritable = [os.get_inheritable(number) for number in (0, 1, 2)]
    sys.stdout.write("out"), sys.stdout.flush(), sys.stderr.write("err"), sys.stderr.flush()
    with open(sys.argv[1], "w") as report:
        report.write(f"{kinds} {usable} {inheritable} {report.fileno() > 2}")
    return 0

program._run = run
sys.exit(program.main())
"""


def in_shell(redirect, *command):
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirect}', "sh", *command],
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirect", "closed"),
    [("", ()), ("<&-", (0,)), (">&-", (1,)), ("2>&-", (2,)), ("<&- 2>&-", (0, 2)), ("<&- >&- 2>&-", (0, 1, 2))],
)
def test_a_closed_standard_stream_becomes_the_null_device(redirect, closed, tmp_path):
    report = tmp_path / "report"
    ended = in_shell(redirect, sys.executable, "-c", REPORT, str(report))
    assert ended.returncode == 0, ended.stderr
    assert report.read_text() == f"{[n in closed for n in range(3)]} {[False] * 3} {[True] * 3} True"
    assert ended.stdout == (b"" if 1 in closed else b"out")
    assert ended.stderr == (b"" if 2 in closed else b"err")


@pytest.mark.parametrize("redirect", ["<&-", "2>&-"])
def test_the_command_line_runs_without_a_standard_stream(redirect):
    ended = in_shell(redirect, sys.executable, "-m", "app", "--version")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout


def test_ctrl_c_during_the_start_is_silent(monkeypatch, capfd):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_run", interrupted)
    assert program.main() == 130
    assert capfd.readouterr() == ("", "")
