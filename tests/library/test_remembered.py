"""The list of added models survives damage, a full disk and a second window."""

import errno
import json
import os

import pytest

from app.errors import StorageError
from app.library import remembered


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNO_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "models.json"


def test_nothing_is_remembered_at_first_and_no_folder_made(file):
    assert remembered.paths() == []
    assert not file.parent.exists()


def test_paths_come_back_in_the_order_of_adding(file):
    remembered.add("/b.mlpackage")
    remembered.add("/a.mlmodel")
    remembered.add("/b.mlpackage")
    assert remembered.paths() == ["/b.mlpackage", "/a.mlmodel"]


def test_removing_takes_only_that_path(file):
    remembered.add("/模型.mlpackage")
    remembered.add("/b.mlmodel")
    remembered.remove("/not there")
    remembered.remove("/b.mlmodel")
    assert json.loads(file.read_text(encoding="utf-8")) == ["/模型.mlpackage"]


def test_what_another_window_added_since_is_kept(file):
    remembered.add("/a.mlmodel")
    file.write_text('["/a.mlmodel", "/theirs.mlmodel"]')
    remembered.add("/ours.mlmodel")
    assert remembered.paths() == ["/a.mlmodel", "/theirs.mlmodel", "/ours.mlmodel"]


@pytest.mark.parametrize("damaged", [b'["/a.mlmodel"', b"", b"{}", b"[1]", b"\xff\xfe"])
def test_a_damaged_list_is_set_aside_and_not_lost(file, damaged):
    file.parent.mkdir()
    file.write_bytes(damaged)
    assert remembered.paths() == []
    assert (file.parent / "models.json.broken").read_bytes() == damaged
    remembered.add("/a.mlmodel")
    assert remembered.paths() == ["/a.mlmodel"]


def test_a_second_damaged_list_does_not_replace_the_first(file):
    file.parent.mkdir()
    for text in ("first", "second"):
        file.write_text(text)
        remembered.paths()
    assert (file.parent / "models.json.broken").read_text() == "first"
    assert (file.parent / "models.json.broken-2").read_text() == "second"


def test_a_full_disk_is_reported_and_leaves_the_old_list(file, monkeypatch):
    remembered.add("/a.mlmodel")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        remembered.add("/b.mlmodel")
    assert remembered.paths() == ["/a.mlmodel"]
    assert os.listdir(file.parent) == ["models.json"]


def test_a_list_that_cannot_be_read_is_not_overwritten(file):
    file.mkdir(parents=True)
    assert remembered.paths() == []
    with pytest.raises(StorageError, match=r"models\.json"):
        remembered.add("/a.mlmodel")
