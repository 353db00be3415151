"""The photo that stands for a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import NoPhotoInFolder, PhotoMissing
from app.imaging.find import SUFFIXES, first_photo, natural_order


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_numbers_in_names_count_by_their_value(tmp_path):
    assert first_photo(fill(tmp_path, "IMG_10.jpg", "IMG_9.jpg", "IMG_100.jpg")).name == "IMG_9.jpg"


def test_case_does_not_matter_for_order_or_suffix(tmp_path):
    assert first_photo(fill(tmp_path, "b.png", "A.JPG", "C.HEIC")).name == "A.JPG"


def test_names_that_read_alike_have_a_fixed_order():
    names = ["a01.jpg", "A1.jpg", "a1.jpg", "a001.jpg"]
    expected = sorted(map(Path, names), key=natural_order)
    assert sorted(map(Path, reversed(names)), key=natural_order) == expected


def test_other_files_hidden_files_and_folders_are_passed_over(tmp_path):
    (tmp_path / "0.jpg").mkdir()
    (tmp_path / "1.jpg").symlink_to(tmp_path / "nowhere")
    fill(tmp_path, "._2.jpg", ".3.jpg", "4.txt", "5", "6.png")
    assert first_photo(tmp_path).name == "6.png"


def test_folders_below_are_not_searched(tmp_path):
    (tmp_path / "below").mkdir()
    fill(tmp_path / "below", "a.jpg")
    with pytest.raises(NoPhotoInFolder) as caught:
        first_photo(tmp_path)
    assert caught.value.fields == {"photo": tmp_path.name}


def test_a_linked_photo_counts(tmp_path):
    (tmp_path / "folder").mkdir()
    fill(tmp_path, "real.jpg")
    (tmp_path / "folder" / "link.jpg").symlink_to(tmp_path / "real.jpg")
    assert first_photo(tmp_path / "folder").name == "link.jpg"


def test_what_is_no_folder(tmp_path):
    fill(tmp_path, "a.jpg")
    with pytest.raises(NoPhotoInFolder):
        first_photo(tmp_path / "a.jpg")
    with pytest.raises(PhotoMissing):
        first_photo(tmp_path / "gone")


def test_suffixes_are_written_as_they_are_compared():
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in SUFFIXES)
    assert {".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".tif", ".tiff", ".gif", ".bmp"} <= SUFFIXES
