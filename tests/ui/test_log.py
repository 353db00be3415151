"""The log file on a disk that becomes full."""

from __future__ import annotations

import logging
import sys

import pytest

from app.ui.log import LogFile


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full, a file that is always full")
def test_a_full_disk_ends_the_log_file_with_one_line(capsys):
    root = logging.getLogger()
    file = LogFile("/dev/full", encoding="utf-8")
    root.addHandler(file)
    try:
        root.error("first")
        root.error("second")
        assert file not in root.handlers
    finally:
        root.removeHandler(file)
    said = capsys.readouterr().err
    assert said.count("No space left") == 1
    assert "Traceback" not in said
