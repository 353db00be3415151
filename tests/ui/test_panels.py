"""The small panels, each alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton, QTabBar, QToolButton, QWidget

from app.i18n import use_language
from app.imaging.photo import photo_from_rgb
from app.imaging.view import BAR_GREY, Crop
from app.machine.facts import Machine
from app.paths import resource
from app.ui.balanced_split import BalancedSplit
from app.ui.banner import AT_MOST, Banners, Offered
from app.ui.crop_chooser import CropChooser
from app.ui.drop_reader import Offer
from app.ui.lane_grid import even_columns
from app.ui.page_bar import PagedArea
from app.ui.pages import Page
from app.ui.photo_line import PhotoLine
from app.ui.photo_well import PhotoWell
from app.ui.picture import LONGEST, ShownPhoto, picture_of
from app.ui.sample_strip import SampleStrip, samples
from app.ui.status_line import StatusLine, machine_words
from app.ui.theme import contrast_ratio
from app.ui.words import CutWords

pytestmark = pytest.mark.gui


def shown_photo(width: int, height: int, colour: tuple[int, int, int] = (250, 10, 10)) -> ShownPhoto:
    rgb = np.full((height, width, 3), colour, np.uint8)
    return ShownPhoto(photo_from_rgb(rgb, "red.png"), picture_of(rgb, LONGEST))


# --- photo well ---------------------------------------------------------------------------------------------------


@pytest.fixture
def well(qtbot) -> PhotoWell:
    """400 × 400 pixels, 12 of them margin."""
    well = PhotoWell()
    qtbot.addWidget(well)
    well.resize(400, 400)
    well.show()
    return well


def colour_at(widget: QWidget, x: int, y: int) -> QColor:
    return widget.grab().toImage().pixelColor(QPoint(x, y))


def test_outside_the_crop_the_photo_is_dimmed(well):
    well.show_photo(shown_photo(400, 200))
    well.show_crop(Crop.CENTRE, (224, 224), 1.0)
    assert colour_at(well, 200, 200) == QColor(250, 10, 10)
    assert colour_at(well, 30, 200).red() < 150


def test_the_crop_is_smaller_by_the_models_own_fraction(well):
    well.show_photo(shown_photo(400, 400))
    well.show_crop(Crop.CENTRE, (224, 224), 0.5)
    assert colour_at(well, 200, 200) == QColor(250, 10, 10)
    assert colour_at(well, 80, 200).red() < 150


def test_a_fitted_photo_has_the_bars_that_the_model_sees(well):
    well.show_photo(shown_photo(400, 200))
    well.show_crop(Crop.FIT, (224, 224), 1.0)
    assert colour_at(well, 200, 200) == QColor(250, 10, 10)
    assert colour_at(well, 200, 40) == QColor(BAR_GREY, BAR_GREY, BAR_GREY)


def test_a_stretched_photo_fills_the_models_shape(well):
    well.show_photo(shown_photo(400, 200))
    well.show_crop(Crop.STRETCH, (224, 224), 1.0)
    assert colour_at(well, 200, 30) == QColor(250, 10, 10)


def test_one_pixel_is_a_photo_too(well):
    well.show_photo(shown_photo(1, 1))
    for crop in Crop:
        well.show_crop(crop, (224, 224), 0.875)
        assert colour_at(well, 200, 200) == QColor(250, 10, 10)


def test_a_photo_without_a_model_is_shown_whole(well):
    well.show_photo(shown_photo(400, 200))
    well.show_crop(Crop.CENTRE, None, 1.0)
    assert colour_at(well, 30, 200) == QColor(250, 10, 10)


def test_the_empty_well_says_how_to_get_a_photo(well):
    assert "Drop a photo" in well.accessibleDescription()


def test_what_hovers_covers_the_photo_with_what_will_happen(well):
    well.show_photo(shown_photo(400, 400))
    before = colour_at(well, 30, 30)
    well.show_offer(Offer("photo", Path("a.jpg")))
    assert colour_at(well, 30, 30) != before
    well.show_offer(None)
    assert colour_at(well, 30, 30) == before


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_on_the_well_asks_for_a_photo(qtbot, well, key):
    with qtbot.waitSignal(well.open_wished):
        qtbot.keyClick(well, key)


def test_a_click_on_the_well_asks_for_a_photo(qtbot, well):
    with qtbot.waitSignal(well.open_wished):
        qtbot.mouseClick(well, Qt.MouseButton.LeftButton)


# --- crop -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1])
def test_the_keyboard_focus_is_seen_on_every_segment(qtbot, place):
    chooser = CropChooser(Crop.CENTRE)  # the first is down
    qtbot.addWidget(chooser)
    chooser.show()
    chooser.activateWindow()
    button, other = chooser.controls()[place], chooser.controls()[2]
    pictures = {}
    for holder in (other, button):
        holder.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(holder.hasFocus)
        pictures[holder] = button.grab().toImage()
    ground = pictures[other]
    changed = [
        contrast_ratio(pictures[button].pixelColor(x, y).name(), ground.pixelColor(x, y).name())
        for x in range(ground.width())
        for y in range(ground.height())
    ]
    ring = 2 * (ground.width() + ground.height()) - 40
    assert sum(contrast >= 3 for contrast in changed) >= ring  # WCAG 2.2, 2.4.13


# --- photo line and samples ---------------------------------------------------------------------------------------


def test_the_line_tells_size_and_format_and_what_was_converted(qtbot):
    line = PhotoLine()
    qtbot.addWidget(line)
    photo = SimpleNamespace(
        name="a.heic", rgb_hwc=np.zeros((3, 4, 3), np.uint8), format="HEIF", notes=("rotated",), decode_ms=12.34
    )
    line.show_photo(photo, is_sample=False)
    assert line.text() == "a.heic · 4 × 3 · HEIF"
    assert "read in 12.3\u00a0ms" in line.toolTip()
    assert "Turned upright" in line.toolTip()
    line.show_photo(photo, is_sample=True)
    assert "Drop your own photo" in line.text()


def test_a_name_of_several_lines_takes_one(qtbot):
    line = PhotoLine()
    qtbot.addWidget(line)
    photo = SimpleNamespace(
        name="a\nb\u2028c\td é\u00a0中.png",
        rgb_hwc=np.zeros((3, 4, 3), np.uint8),
        format="PNG",
        notes=(),
        decode_ms=1.0,
    )
    line.show_photo(photo, is_sample=False)
    assert line.text() == "a\ufffdb\ufffdc\ufffdd é\u00a0中.png · 4 × 3 · PNG"
    assert "\n" not in line.toolTip()


def test_arrow_keys_walk_through_the_samples(qtbot):
    strip = SampleStrip(samples())
    qtbot.addWidget(strip)
    strip.show()
    assert strip.mark(samples()[0].path)
    with qtbot.waitSignal(strip.photo_wished) as wish:
        qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert wish.args == [samples()[1].path]
    strip.load()
    qtbot.waitUntil(lambda: not strip.item(strip.count() - 1).icon().isNull(), timeout=30_000)
    strip.shutdown()


def test_a_photo_that_is_no_sample_marks_none(qtbot):
    strip = SampleStrip(samples())
    qtbot.addWidget(strip)
    strip.mark(samples()[2].path)
    assert not strip.mark(Path("/somewhere/else.jpg"))
    assert strip.currentRow() == -1


def test_there_are_samples_with_names_in_both_languages():
    assert len(samples()) >= 8
    assert all(one.path.is_file() and one.titles["en"] and one.titles["zh_TW"] for one in samples())


# --- banners ------------------------------------------------------------------------------------------------------


def test_banners_show_the_newest_first_and_can_be_dismissed(qtbot):
    banners = Banners()
    qtbot.addWidget(banners)
    assert not banners.isVisibleTo(None)
    for number in range(AT_MOST + 2):
        banners.say(f"error {number}")
    assert banners.texts() == ["error 4", "error 3", "error 2"]
    banners.say("error 3")
    assert banners.texts() == ["error 3", "error 4", "error 2"]
    banners.findChildren(QToolButton)[-1].click()  # of a banner that is still there
    assert len(banners.texts()) == AT_MOST - 1


def test_a_banners_button_acts_once_and_takes_the_banner_away(qtbot):
    banners, done = Banners(), []
    qtbot.addWidget(banners)
    banners.say("gone", "notice", Offered("Undo", lambda: done.append(1)))
    banners.findChild(QPushButton).click()
    assert done == [1]
    assert banners.texts() == []


# --- status line, words, layout -----------------------------------------------------------------------------------

MAC = Machine(
    chip="Apple M3 Max",
    model="Mac15,9",
    performance_cores=12,
    efficiency_cores=4,
    logical_cores=16,
    gpu_cores=40,
    neural_engine_cores=16,
    memory_bytes=64 * 2**30,
    system="macOS 26.1",
)


def test_the_machine_in_one_line():
    assert machine_words(MAC) == [
        "Apple M3 Max",
        "12 P + 4 E cores",
        "40-core GPU",
        "16-core Neural Engine",
        "64 GB memory",
        "macOS 26.1",
    ]


def test_what_is_not_known_of_a_machine_is_left_out(qtbot):
    nothing = dict.fromkeys(("chip", "model", "performance_cores", "efficiency_cores", "gpu_cores"))
    bare = Machine(**nothing, neural_engine_cores=None, logical_cores=1, memory_bytes=None, system="Debian")
    assert machine_words(bare) == ["1 core", "Debian"]
    line = StatusLine()
    qtbot.addWidget(line)
    line.show_machine(bare)
    line.show_devices(("CPU, OpenBLAS 0.3.21 (2 threads)",))
    assert line.text() == "1 core · Debian · CPU, OpenBLAS 0.3.21 (2 threads)"


def test_text_that_does_not_fit_is_in_the_tool_tip(qtbot):
    words = CutWords()
    qtbot.addWidget(words)
    words.resize(40, 20)
    words.setText("a label of forty letters, or even more")
    assert words.toolTip() == words.text()
    words.setText("a")
    assert words.toolTip() == ""


def test_lines_with_and_without_chinese_are_equally_high(qtbot):
    use_language("zh_TW", resource("locale"))
    lines = [CutWords(), CutWords()]
    for line, text in zip(lines, ("MLX · CPU", "Core ML · 神經網路引擎"), strict=True):
        qtbot.addWidget(line)
        line.setText(text)
    assert lines[0].sizeHint().height() == lines[1].sizeHint().height()


def test_cards_get_more_room_the_more_there_are_until_the_user_decides(qtbot):
    split = BalancedSplit(QWidget(), QWidget())
    qtbot.addWidget(split)
    split.resize(1000, 300)
    split.show()
    widths = []
    for count in (1, 2, 3):
        split.show_count(count)
        widths.append(split.sizes()[1])
    assert widths[0] < widths[1] <= widths[2] <= 640
    split.use_sizes(700, 300)
    split.show_count(1)
    assert abs(split.sizes()[1] - 300) < 20


@pytest.mark.parametrize(
    ("cards", "fit", "columns"), [(1, 5, 1), (2, 5, 2), (6, 4, 3), (5, 4, 3), (5, 2, 2), (6, 3, 3), (3, 0, 1)]
)
def test_rows_of_cards_are_as_even_as_can_be(cards, fit, columns):
    assert even_columns(cards, fit) == columns


def test_the_bar_of_pages_appears_with_the_second_page(qtbot):
    def build(_stand: object) -> QWidget:
        return QWidget()

    rows = [(Page(name, name, build), QWidget()) for name in ("Classify", "Race")]
    alone, two = PagedArea(rows[:1]), PagedArea(rows)
    for area in (alone, two):
        qtbot.addWidget(area)
    assert alone.findChild(QTabBar).isHidden()
    assert not two.findChild(QTabBar).isHidden()
    assert two.findChild(QTabBar).tabText(1) == "Race"
