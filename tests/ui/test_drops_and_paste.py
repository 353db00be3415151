"""What is dropped on the window or pasted into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from app.ui.main_window import MainWindow

pytestmark = pytest.mark.gui


def drop(window: MainWindow, mime: QMimeData) -> tuple[QDragEnterEvent, QDropEvent]:
    """A drag that enters the window and is let go there."""
    enter = QDragEnterEvent(
        QPoint(300, 300),
        Qt.DropAction.CopyAction | Qt.DropAction.MoveAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, enter)
    let_go = QDropEvent(
        QPointF(300, 300),
        Qt.DropAction.CopyAction | Qt.DropAction.MoveAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, let_go)
    return enter, let_go


def file_mime(path: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def shown_name(window: MainWindow) -> str:
    return window.stand.shown.photo.name if window.stand.shown else ""


def test_a_dropped_photo_is_classified(qtbot, answered, tmp_path, photo_file):
    other = tmp_path / "lion.jpg"
    other.write_bytes(photo_file.read_bytes())
    enter, let_go = drop(answered, file_mime(other))
    assert enter.isAccepted()
    assert let_go.dropAction() is Qt.DropAction.CopyAction
    qtbot.waitUntil(lambda: shown_name(answered) == "lion.jpg")
    qtbot.waitUntil(lambda: not any(state.stale for state in answered.stand.lanes.states()))


def test_a_dropped_folder_gives_its_first_photo(qtbot, answered, tmp_path, photo_file):
    folder = tmp_path / "trip"
    folder.mkdir()
    for name in ("10.jpg", "2.jpg"):
        (folder / name).write_bytes(photo_file.read_bytes())
    drop(answered, file_mime(folder))
    qtbot.waitUntil(lambda: shown_name(answered) == "2.jpg")


def test_dropped_pixels_are_classified(qtbot, answered):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 100, 50))
    mime = QMimeData()
    mime.setImageData(image)
    drop(answered, mime)
    qtbot.waitUntil(lambda: shown_name(answered) == "Pasted picture")


def test_a_file_that_is_neither_photo_nor_model_is_explained_and_changes_nothing(answered, tmp_path):
    drop(answered, file_mime(tmp_path / "notes.txt"))
    assert answered.banners.texts() == ["“notes.txt” is neither a photo nor a Core ML model."]
    assert shown_name(answered) == "zebra.jpg"


def test_a_web_address_is_explained(answered):
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/cat.jpg")])
    drop(answered, mime)
    assert "web address" in answered.banners.texts()[0]


def test_a_broken_photo_is_explained_and_the_other_stays(qtbot, answered, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    drop(answered, file_mime(broken))
    qtbot.waitUntil(lambda: bool(answered.banners.texts()))
    assert "broken.jpg" in answered.banners.texts()[0]
    assert shown_name(answered) == "zebra.jpg"
    assert all(state.answered for state in answered.stand.lanes.states())


def test_hovering_says_what_will_happen_and_leaving_takes_it_back(qtbot, answered, photo_file):
    mime = file_mime(photo_file)  # an event does not keep it
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(answered, enter)
    assert answered.page.well.offer.sentence == "Classify this photo"
    QApplication.sendEvent(answered, QDragLeaveEvent())
    assert answered.page.well.offer is None


def test_pasting_a_picture_classifies_it(qtbot, answered):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor(1, 2, 3))
    QGuiApplication.clipboard().setImage(image)
    answered.menus.actions["paste"].trigger()
    qtbot.waitUntil(lambda: shown_name(answered) == "Pasted picture")


def test_pasting_text_says_that_there_is_no_picture(answered):
    QGuiApplication.clipboard().setText("hello")
    answered.menus.actions["paste"].trigger()
    assert answered.banners.texts() == ["There is no picture in the clipboard."]


def test_only_the_newest_of_several_photos_is_shown(qtbot, answered, tmp_path, photo_file):
    names = [f"{number}.jpg" for number in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(photo_file.read_bytes())
        answered.open_path(tmp_path / name)
    qtbot.waitUntil(lambda: shown_name(answered) == "4.jpg")
    qtbot.waitUntil(lambda: not any(state.stale for state in answered.stand.lanes.states()))
