"""The charts as the window uses them: fed with samples, drawn on a timer, looked at and touched."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPalette
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.engine.targets import TARGETS
from app.i18n import use_language
from app.paths import resource
from app.ui.appearance import own_palette
from app.ui.charts import ChartArea, LaneStyle
from app.ui.charts.buffer import Clock
from app.ui.charts.strokes import StrokeItem
from app.ui.theme import Theme, current_theme

pytestmark = pytest.mark.gui

MakeSamples = Callable[..., np.ndarray]
GPU, CPU = (LaneStyle(one.id, one.shown_name, one.colour, one.dash) for one in TARGETS[:2])
LIGHT, DARK = "light", "dark"


def theme(appearance: str) -> Theme:
    return current_theme(own_palette("dark" if appearance == DARK else "light"))


@pytest.fixture
def area(qtbot: QtBot) -> ChartArea:
    made = ChartArea(theme=theme(LIGHT))
    qtbot.addWidget(made)
    made.resize(1000, 300)
    made.set_lanes([GPU, CPU])
    made.show()
    qtbot.waitExposed(made)
    qtbot.wait(1)  # one turn of the event loop: the layout is done
    return made


def refresh(area: ChartArea) -> None:
    """What a second of drawing does: curves and all texts."""
    area.draw()
    area.set_theme(area.theme)


def now_samples(make: MakeSamples, ms: list[float] | np.ndarray, **more: object) -> np.ndarray:
    return make(ms, end_ns=time.perf_counter_ns(), **more)


def colours(item: StrokeItem) -> set[str]:
    return {stroke.colour.name().lower() for stroke in item.strokes if len(stroke.rects)}


def pixels(picture: QImage, colour: str) -> int:
    """How many pixels of `picture` have exactly that colour."""
    shown = picture.convertToFormat(QImage.Format.Format_RGB32)
    words = np.frombuffer(shown.constBits(), np.uint32).reshape(shown.height(), -1)[:, : shown.width()]
    return int((words & 0xFFFFFF == QColor(colour).rgb() & 0xFFFFFF).sum())


# --- what is drawn ----------------------------------------------------------------------------------------------------


def test_each_lane_has_a_curve_in_its_colour(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 2000, memory=(10**8, 1, 1, 1)))
    area.add_samples(CPU.key, now_samples(make_samples, [9.0] * 900, memory=(2 * 10**8, 1, 1, 1)))
    refresh(area)
    for chart in area.charts:
        assert {GPU.colour.lower(), CPU.colour.lower()} <= colours(chart.strokes), type(chart).__name__
        assert pixels(chart.grab().toImage(), GPU.colour) > 10
        assert pixels(chart.grab().toImage(), CPU.colour) > 10


def test_lanes_differ_by_line_style_too(area: ChartArea, make_samples: MakeSamples) -> None:
    for lane in (GPU, CPU):
        area.add_samples(lane.key, now_samples(make_samples, [5.0] * 3000))
    refresh(area)
    drawn = {stroke.colour.name().lower(): len(stroke.rects) for stroke in area.latency.strokes.strokes}
    assert drawn[CPU.colour.lower()] < 0.8 * drawn[GPU.colour.lower()]


def test_a_spike_of_one_sample_in_thousands_can_be_seen(area: ChartArea, make_samples: MakeSamples) -> None:
    ms = np.full(10_000, 2.0)
    ms[5000] = 3.9
    area.add_samples(GPU.key, now_samples(make_samples, ms))
    refresh(area)
    height = area.latency.plot_size()[1]
    highest = min(float(stroke.rects[:, 1].min()) for stroke in area.latency.strokes.strokes if len(stroke.rects))
    top = area.latency.box.viewRange()[1][1]
    assert highest == pytest.approx(height * (1 - 3.9 / top), abs=3)


def test_a_spike_above_the_scale_is_told(area: ChartArea, make_samples: MakeSamples) -> None:
    ms = np.full(5000, 2.0)
    ms[2500] = 512.0
    area.add_samples(GPU.key, now_samples(make_samples, ms))
    refresh(area)
    assert area.latency.box.viewRange()[1][1] < 10
    assert area.latency.frame.note == "▲ 512\u00a0ms"


def test_warm_up_is_shaded_and_left_out_of_the_distribution(area: ChartArea, make_samples: MakeSamples) -> None:
    ms = np.full(2000, 4.0)
    ms[:500] = 40.0
    area.add_samples(GPU.key, now_samples(make_samples, ms, warmup=500))
    refresh(area)
    shade = area.latency.strokes.strokes[0]
    assert shade.rects[:, 3].tolist() == [area.latency.plot_size()[1]]
    assert area.distribution.medians_ms() == {GPU.key: pytest.approx(4.0)}
    assert area.distribution.box.viewRange()[0][1] < 10


def test_only_warm_up_leaves_the_distribution_empty(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 50, warmup=50))
    refresh(area)
    assert area.distribution.medians_ms() == {}
    assert area.distribution.strokes.strokes == []


def test_gaps_stay_open(area: ChartArea, make_samples: MakeSamples) -> None:
    now = time.perf_counter_ns()
    area.add_samples(GPU.key, make_samples([4.0] * 800, end_ns=now - 8_000_000_000))
    area.set_gap(GPU.key)
    area.add_samples(GPU.key, make_samples([4.0] * 800, end_ns=now))
    refresh(area)
    line = next(one for one in area.latency.strokes.strokes if one.colour.name().lower() == GPU.colour.lower())
    steps = np.diff(line.rects[:, 0])
    assert steps.max() == pytest.approx(area.latency.plot_size()[0] * 4 / 30, rel=0.1)
    assert (steps > 3).sum() == 1


def test_the_other_clock_draws_other_values(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    assert "engine clock" in area.latency.frame.subtitle
    area.controls.clock.setCurrentIndex(1)
    area.controls.clock.activated.emit(1)
    assert area.recording.clock is Clock.END_TO_END
    assert area.distribution.medians_ms()[GPU.key] == pytest.approx(5.0)
    assert "end to end" in area.latency.frame.subtitle


# --- empty, missing, unknown ------------------------------------------------------------------------------------------


def test_without_samples_every_chart_says_what_to_do(area: ChartArea) -> None:
    for chart in area.charts:
        assert "Run live" in chart.frame.hint
        plot = chart.box.geometry().toAlignedRect()
        picture = chart.grab(plot.adjusted(0, 0, 0, -4)).toImage()  # without the axis
        written = picture.width() * picture.height() - pixels(picture, area.theme.card)
        assert written > 100


def test_while_samples_are_on_their_way_empty_charts_say_that_they_wait(area):
    area.set_running(True)
    assert [chart.frame.hint for chart in area.charts] == ["Waiting for the first samples"] * 3
    area.set_running(False)
    assert all("Run live" in chart.frame.hint for chart in area.charts)


def test_memory_that_nobody_can_read_is_said_to_be_missing(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    assert area.memory.frame.hint == "Memory is not available here"
    assert area.latency.frame.hint == ""


def test_a_lane_without_mlx_has_no_mlx_lines(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500, memory=(10**8, -1, -1, -1)))
    refresh(area)
    assert [name for name, _dash, _thickness in area.memory.frame.kinds] == ["process"]
    assert len(area.memory.strokes.strokes) == 1


def test_memory_begins_at_zero(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500, memory=(10**9, 1, 1, 1)))
    refresh(area)
    low, high = area.memory.box.viewRange()[1]
    assert low == 0
    assert high >= 1000


def test_samples_of_a_lane_that_is_not_shown_are_dropped(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples("nobody", now_samples(make_samples, [4.0] * 500))
    area.clear("nobody")
    area.set_gap("nobody")
    refresh(area)
    assert not area.recording.any_samples()


def test_a_lane_that_stays_keeps_its_samples_and_one_that_leaves_does_not(
    area: ChartArea, make_samples: MakeSamples
) -> None:
    for lane in (GPU, CPU):
        area.add_samples(lane.key, now_samples(make_samples, [4.0] * 500))
    area.set_lanes([CPU])
    area.set_lanes([GPU, CPU])
    refresh(area)
    assert set(area.distribution.medians_ms()) == {CPU.key}


def test_clear_takes_a_lane_out_of_the_picture(area: ChartArea, make_samples: MakeSamples) -> None:
    for lane in (GPU, CPU):
        area.add_samples(lane.key, now_samples(make_samples, [4.0] * 500))
    area.draw()
    area.clear(GPU.key)
    assert GPU.colour.lower() not in colours(area.latency.strokes)
    assert CPU.colour.lower() in colours(area.latency.strokes)


# --- how it is shown --------------------------------------------------------------------------------------------------


def test_pause_keeps_the_picture_but_not_the_data(area: ChartArea, make_samples: MakeSamples, qtbot: QtBot) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    with qtbot.waitSignal(area.paused_changed) as changed:
        area.set_paused(True)
    assert changed.args == [True]
    before = area.copy_picture()
    area.add_samples(GPU.key, now_samples(make_samples, [9.0] * 500))
    area.draw()
    assert area.copy_picture() == before
    area.set_paused(False)
    area.draw()
    assert area.copy_picture() != before
    assert len(area.recording.buffers[GPU.key].raw) == 1000


def test_a_change_of_theme_repaints_everything(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500, memory=(10**8, 1, 1, 1)))
    refresh(area)
    area.set_theme(theme(DARK))
    for chart in area.charts:
        picture = chart.grab().toImage()
        assert pixels(picture, theme(DARK).card) > 0.5 * picture.width() * picture.height()
        assert pixels(picture, theme(LIGHT).card) == 0
        assert pixels(picture, GPU.colour) > 10  # a lane keeps its colour


def test_the_picture_is_what_is_on_the_screen(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    picture = area.copy_picture()
    assert picture.size() == area.size() * area.devicePixelRatioF()
    assert pixels(picture, GPU.colour) > 60
    assert pixels(picture, area.theme.card) > 1000


def test_the_copy_button_puts_the_picture_on_the_clipboard(
    area: ChartArea, make_samples: MakeSamples, qtbot: QtBot
) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    qtbot.mouseClick(area.controls.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().image().size() == area.size() * area.devicePixelRatioF()


def test_a_logarithm_is_offered_when_lanes_are_far_apart(
    area: ChartArea, make_samples: MakeSamples, qtbot: QtBot
) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [1.0] * 500))
    area.add_samples(CPU.key, now_samples(make_samples, [19.0] * 500))
    refresh(area)
    assert not area.controls.log.isVisible()
    area.clear(CPU.key)
    area.add_samples(CPU.key, now_samples(make_samples, [21.0] * 500))
    with qtbot.waitSignal(area.log_offered) as offered:
        refresh(area)
    assert offered.args == [True]
    assert area.controls.log.isVisible()
    qtbot.mouseClick(area.controls.log, Qt.MouseButton.LeftButton)
    assert area.recording.log
    low, high = area.latency.box.viewRange()[1]
    assert low <= 0 < np.log10(21) <= high
    assert "10" in [tick.text for tick in area.latency.frame.y_ticks]


def test_nothing_is_drawn_when_nothing_changed(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, make_samples([4.0] * 500))  # long ago
    refresh(area)
    area.draw()
    before = area.latency.strokes.strokes
    area.draw()
    assert area.latency.strokes.strokes is before


def test_a_hidden_area_draws_nothing(area: ChartArea, make_samples: MakeSamples) -> None:
    area.hide()
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    before = area.latency.strokes.strokes
    area.draw()
    assert area.latency.strokes.strokes is before


def test_texts_change_at_most_twice_a_second(
    area: ChartArea, make_samples: MakeSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, clock = dict.fromkeys(area.charts, 0), [1000.0]
    monkeypatch.setattr("app.ui.charts.chart_area.time.monotonic", lambda: clock[0])
    for chart in area.charts:
        original = chart.fit

        def counted(chart: object = chart, original: Callable[[], None] = original) -> None:
            count[chart] += 1
            original()

        monkeypatch.setattr(chart, "fit", counted)
    for _ in range(300):  # ten seconds
        clock[0] += 1 / 30
        area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 8))
        area.draw()
    for chart, times in count.items():
        assert 10 <= times <= 20, type(chart).__name__


def test_when_drawing_ends_the_texts_catch_up_by_themselves(
    area: ChartArea, make_samples: MakeSamples, qtbot: QtBot
) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [4.0] * 500))
    refresh(area)
    assert area.latency.frame.x_label == "seconds ago"
    qtbot.waitUntil(lambda: area.latency.frame.x_label == "seconds before the end", timeout=10_000)


# --- pointer and keyboard ---------------------------------------------------------------------------------------------


def inside(area: ChartArea, across: float, down: float) -> QPoint:
    """A point in the latency chart's area for curves, in its viewport's pixels."""
    plot = area.latency.box.geometry()
    return QPointF(plot.left() + across * plot.width(), plot.top() + down * plot.height()).toPoint()


def drag(area: ChartArea, start: QPoint, end: QPoint) -> None:
    view = area.latency.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(view, start + (end - start) * step / 5)
        QTest.qWait(15)  # pyqtgraph looks at moves a hundred times a second at most
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)


def test_hovering_shows_every_lanes_value_with_its_unit(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000, memory=(10**8, 21_000_000, 0, 64_000_000)))
    area.add_samples(CPU.key, now_samples(make_samples, [9.0] * 1000))
    refresh(area)
    area.latency.hovered.emit(-4.0)
    assert area.readout.isVisible()
    assert area.readout.reading.texts() == [
        "4.0 s ago",
        "MLX · GPU 2.00\u00a0ms",
        "MLX · CPU 9.00\u00a0ms",
    ]
    assert area.rect().contains(area.readout.geometry())
    assert area.memory.crosshair.isVisible()  # one time axis, one crosshair
    area.memory.hovered.emit(-4.0)
    assert area.readout.reading.texts() == [
        "4.0 s ago",
        "MLX · GPU 100\u00a0MB 21.0\u00a0MB 0\u00a0MB 64.0\u00a0MB",
    ]
    area.distribution.hovered.emit(2.0)
    assert area.readout.reading.texts()[1] == "MLX · GPU 100\u00a0% 2.00\u00a0ms"
    assert not area.latency.crosshair.isVisible()
    area.distribution.hovered.emit(None)
    assert not area.readout.isVisible()


def test_hovering_where_nothing_was_measured_shows_no_box(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 1000))
    refresh(area)
    area.memory.hovered.emit(-29.0)
    assert not area.readout.isVisible()
    area.latency.hovered.emit(-1.0)
    assert area.readout.isVisible()


def test_the_pointer_moves_the_crosshair(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000))
    refresh(area)
    QTest.mouseMove(area.latency.viewport(), inside(area, 0.2, 0.5))
    QTest.mouseMove(area.latency.viewport(), inside(area, 0.9, 0.5))
    assert area.latency.crosshair.isVisible()
    assert area.latency.cursor_x() == pytest.approx(-3.0, abs=0.2)


def test_the_keyboard_moves_the_crosshair_too(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000))
    refresh(area)
    for _ in range(4):
        QTest.keyClick(area.latency, Qt.Key.Key_Right)
    assert area.latency.cursor_x() == pytest.approx(-13.0)
    assert "2.00\u00a0ms" in area.latency.accessibleDescription()
    QTest.keyClick(area.latency, Qt.Key.Key_Escape)
    assert not area.latency.crosshair.isVisible()


def test_dragging_zooms_and_a_double_click_shows_everything_again(
    area: ChartArea, make_samples: MakeSamples, qtbot: QtBot
) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000))
    refresh(area)
    with qtbot.waitSignal(area.zoomed) as zoomed:
        drag(area, inside(area, 0.5, 0.2), inside(area, 0.8, 0.9))
    assert zoomed.args == [True]
    assert area.latency.box.viewRange()[0] == pytest.approx([-15, -6], abs=0.3)
    assert area.memory.box.viewRange()[0] == pytest.approx([-15, -6], abs=0.3)
    assert area.controls.reset.isVisible()
    held = area.recording.time.end_ns
    area.draw()
    assert area.recording.time.end_ns == held
    with qtbot.waitSignal(area.zoomed) as zoomed:
        for act in (QTest.mouseClick, QTest.mouseDClick, QTest.mouseRelease):
            act(area.latency.viewport(), Qt.MouseButton.LeftButton, pos=inside(area, 0.5, 0.5))
    assert zoomed.args == [False]
    assert area.latency.box.viewRange()[0] == [-30, 0]


def test_a_distribution_that_is_zoomed_counts_finer(area: ChartArea, make_samples: MakeSamples) -> None:
    rng = np.random.default_rng(2)
    area.add_samples(GPU.key, now_samples(make_samples, rng.uniform(2, 4, 5000)))
    refresh(area)
    area.distribution.zoom_asked.emit(QRectF(2.5, 0, 0.5, 10))
    assert area.distribution.box.viewRange()[0] == [2.5, 3.0]
    area.reset_zoom()
    assert area.distribution.box.viewRange()[0][1] > 3.9


def test_the_wheel_is_left_to_the_page(area: ChartArea, make_samples: MakeSamples) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000))
    refresh(area)
    before = area.latency.box.viewRange()
    from PySide6.QtGui import QWheelEvent

    at = QPointF(inside(area, 0.5, 0.5))
    wheel = QWheelEvent(
        at,
        at,
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    area.latency.wheelEvent(wheel)
    assert not wheel.isAccepted()
    assert area.latency.box.viewRange() == before


@pytest.mark.parametrize("size", [(640, 200), (780, 250), (1800, 700)])
def test_every_size_shows_curves_and_controls(
    area: ChartArea, make_samples: MakeSamples, qtbot: QtBot, size: tuple[int, int]
) -> None:
    area.add_samples(GPU.key, now_samples(make_samples, [2.0] * 5000, memory=(10**8, 1, 1, 1)))
    area.resize(*size)
    qtbot.wait(1)
    refresh(area)
    assert area.size().toTuple() == size
    for chart in area.charts:
        assert min(chart.plot_size()) > 60
        assert pixels(chart.grab().toImage(), GPU.colour) > 10
    assert area.rect().contains(area.controls.geometry())


# --- words ------------------------------------------------------------------------------------------------------------


def test_everything_is_said_in_the_language_of_the_moment(area: ChartArea) -> None:
    try:
        assert use_language("zh_TW", resource("locale")) == "zh_TW"
        area.retranslate()
        texts = [
            *(chart.frame.title for chart in area.charts),
            area.controls.pause.text(),
            area.latency.accessibleName(),
        ]
        assert all(ord(text[0]) >= 0x4E00 for text in texts), texts
    finally:
        use_language("en", resource("locale"))
    area.retranslate()
    assert [chart.frame.title for chart in area.charts] == ["Latency", "Distribution", "Memory"]


def test_every_control_has_a_name(area: ChartArea) -> None:
    controls = area.controls
    for part in (controls.span, controls.clock, controls.log, controls.pause, controls.reset, controls.copy):
        assert part.accessibleName()
        assert part.toolTip()
    for chart in area.charts:
        assert chart.accessibleName()
        assert chart.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_system_palette_is_the_first_theme(qtbot: QtBot) -> None:
    area = ChartArea()
    qtbot.addWidget(area)
    assert area.theme == current_theme(QPalette(area.palette()))
