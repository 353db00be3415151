"""What a drop or the clipboard offers, decided by its formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from app.ui.drop_reader import offer_of, picture_in, read_offer


def urls(*texts: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(text) for text in texts])
    return mime


@pytest.mark.parametrize("name", ["a.jpg", "B.JPEG", "c.heic", "d.AVIF", "without-ending"])
def test_photo_files_are_to_be_classified(name, tmp_path: Path):
    offer = read_offer(urls(QUrl.fromLocalFile(str(tmp_path / name)).toString()))
    assert (offer.kind, offer.path) == ("photo", tmp_path / name)
    assert offer.sentence == "Classify this photo"


@pytest.mark.parametrize("name", ["Net.mlpackage", "net.mlmodel", "NET.MLMODEL"])
def test_models_are_to_be_added(name, tmp_path: Path):
    assert offer_of(tmp_path / name).kind == "model"
    assert offer_of(tmp_path / name).sentence == "Add this model"


def test_a_package_is_a_model_although_it_is_a_folder(tmp_path: Path):
    package = tmp_path / "Net.mlpackage"
    package.mkdir()
    assert offer_of(package).kind == "model"


def test_the_manifest_of_a_package_means_the_package(tmp_path: Path):
    assert offer_of(tmp_path / "Net.mlpackage" / "Manifest.json").path == tmp_path / "Net.mlpackage"


def test_a_folder_means_its_first_photo(tmp_path: Path):
    assert offer_of(tmp_path).kind == "folder"


def test_other_files_are_refused_by_name(tmp_path: Path):
    offer = offer_of(tmp_path / "notes.txt")
    assert not offer.is_usable
    assert "notes.txt" in offer.sentence


def test_a_local_file_goes_before_pixels_and_pixels_before_a_web_address(tmp_path: Path, qapp):
    mime = urls("https://example.org/cat.jpg")
    assert read_offer(mime).kind == "remote"
    mime.setImageData(QImage(2, 2, QImage.Format.Format_RGB32))
    assert read_offer(mime).kind == "pixels"
    mime.setUrls([QUrl("https://example.org/cat.jpg"), QUrl.fromLocalFile(str(tmp_path / "cat.jpg"))])
    assert read_offer(mime).kind == "photo"


def test_a_path_copied_as_text_is_a_file(tmp_path: Path):
    photo = tmp_path / "a cat.jpg"
    photo.touch()
    mime = QMimeData()
    mime.setText(f"  {photo}\n")
    assert read_offer(mime).path == photo
    mime.setText(QUrl.fromLocalFile(str(photo)).toString())
    assert read_offer(mime).path == photo


def test_plain_text_is_no_picture():
    mime = QMimeData()
    mime.setText("hello")
    assert read_offer(mime).kind == "nothing"
    assert read_offer(QMimeData()).kind == "nothing"


def test_a_file_promise_says_what_to_do_instead():
    mime = QMimeData()
    mime.setData("application/x-apple-file-promise", b"x")
    assert read_offer(mime).kind == "promise"


def test_pixels_of_an_empty_clipboard_are_none(qapp):
    assert picture_in(QMimeData()) is None


def test_all_models_of_a_drop_are_offered(tmp_path):
    mime = QMimeData()
    paths = [tmp_path / "a.mlmodel", tmp_path / "notes.txt", tmp_path / "b.mlpackage", tmp_path / "a.mlmodel"]
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    offer = read_offer(mime)
    assert offer.models == (paths[0], paths[2])
    assert offer.sentence == "Add these 2 models"
