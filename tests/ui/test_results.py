"""Results as JSON, CSV and text."""

from __future__ import annotations

import csv
import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import EngineDied, StorageError
from app.ui.lane_state import Phase
from app.ui.results import as_csv, as_json, as_text, result_rows, write_results
from tests.ui.test_lane_card import ANSWERED, LIVE, LOADING


def test_only_lanes_with_an_answer_for_this_photo_have_results():
    states = [LOADING, replace(ANSWERED, stale=True), ANSWERED]
    assert len(result_rows(states, "cat.jpg", "centre")) == 1


def test_what_was_not_measured_is_null():
    (row,) = json.loads(as_json(result_rows([replace(ANSWERED, memory=None)], "cat.jpg", "fit")))
    assert row["live"] is None
    assert row["footprint_bytes"] is None
    assert row["agrees"] is None
    assert row["top"][0] == {"index": 0, "label": "tabby, tabby cat", "probability": 0.81}


def test_a_run_brings_its_numbers():
    (row,) = result_rows([LIVE], "cat.jpg", "centre")
    assert row["live"]["n"] == 100
    assert row["live"]["median_ms"] == 10.0
    assert row["live"]["p99_ms"] is None


def test_csv_has_one_line_a_lane_and_the_same_columns_for_all():
    rows = list(csv.DictReader(as_csv(result_rows([ANSWERED, LIVE], "cat.jpg", "centre")).splitlines()))
    assert [row["live_median_ms"] for row in rows] == ["", "10.0"]
    assert (rows[0]["top1_index"], rows[0]["top1_label"]) == ("0", "tabby, tabby cat")


def test_text_is_short():
    assert as_text([LIVE], "cat.jpg").splitlines()[1].startswith("MLX · GPU: 10.0 ms median · p95 10.0 ms · 95.4 /s")


def test_a_place_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(StorageError):
        write_results(tmp_path / "no" / "folder.json", [])


@pytest.mark.parametrize("name", ["results.json", "results.csv"])
def test_a_photo_whose_name_is_no_text_is_exported(tmp_path: Path, name: str):
    write_results(tmp_path / name, result_rows([ANSWERED], "/tmp/bad\udcff.jpg", "centre"))
    assert "/tmp/bad\ufffd.jpg" in (tmp_path / name).read_text("utf-8")
    assert as_text([ANSWERED], "bad\udcff.jpg").startswith("bad\ufffd.jpg\n")


def test_an_export_that_fails_leaves_the_earlier_one_and_nothing_else(tmp_path: Path, monkeypatch):
    file = tmp_path / "results.json"
    file.write_text("earlier")

    def full(*_names: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StorageError, match="No space left"):
        write_results(file, [])
    assert [one.name for one in tmp_path.iterdir()] == ["results.json"]
    assert file.read_text() == "earlier"


def test_figures_of_a_lane_that_ended_come_with_the_error():
    error = EngineDied(target="MLX · GPU", how="signal SIGKILL", last_words="")
    ended = replace(LIVE, phase=Phase.FAILED, error=error)
    well, ill = result_rows([LIVE, ended], "cat.jpg", "centre")
    assert well["error"] is None
    assert ill["live"]["median_ms"] == 10.0
    assert ill["error"] == str(error)
    assert "before it ended · The engine process of MLX · GPU ended unexpectedly" in as_text([ended], "cat.jpg")
