"""Models on their way into the library: one after the other, with progress, and given up at any moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import ModelUnreadable
from app.i18n import use_language
from app.library import shelf
from app.paths import resource
from app.ui.arrival_line import ArrivalLine, arrival_words
from app.ui.arrivals import Arrival, Arrivals
from tests.ui.fake_models import FakeTakeIn

pytestmark = pytest.mark.gui


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three models and one that is broken in their middle."""
    found = []
    for name, data in (("a", b"1"), ("b", b"broken"), ("c", b"3")):
        found.append(tmp_path / f"{name}.mlmodel")
        found[-1].write_bytes(data)
    return found


@pytest.fixture
def arrivals(qtbot, take_in: FakeTakeIn):
    arrivals = Arrivals(take_in)
    yield arrivals
    arrivals.close()


def test_several_come_in_one_after_the_other_and_a_broken_one_stops_none(qtbot, arrivals, take_in, files):
    seen, came, refused = [], [], []
    arrivals.progressed.connect(seen.append)
    arrivals.arrived.connect(lambda imported: came.append(imported.card.name))
    arrivals.refused.connect(refused.append)
    arrivals.ask(files)
    qtbot.waitUntil(lambda: arrivals.current is None)
    assert take_in.asked == ["a.mlmodel", "b.mlmodel", "c.mlmodel"]
    assert came == ["a", "c"]
    assert [type(error) for error in refused] == [ModelUnreadable]
    assert seen[-1] is None
    assert {(one.number, one.of) for one in seen[:-1]} == {(1, 3), (2, 3), (3, 3)}


def test_what_is_asked_for_meanwhile_waits_for_its_turn(qtbot, arrivals, take_in, files):
    take_in.held = True
    arrivals.ask(files[:1])
    arrivals.ask(files[2:])
    qtbot.waitUntil(lambda: arrivals.current.done_bytes == 0 and arrivals.current.total_bytes == 1)
    assert (arrivals.current.number, arrivals.current.of) == (1, 2)
    take_in.go_on.set()
    qtbot.waitUntil(lambda: arrivals.current is None)
    assert [card.name for card in shelf.cards()] == ["a", "c"]


def test_given_up_means_all_of_them_and_is_no_error(qtbot, arrivals, take_in, files):
    refused = []
    arrivals.refused.connect(refused.append)
    take_in.held = True
    arrivals.ask(files)
    qtbot.waitUntil(lambda: bool(take_in.asked))
    arrivals.cancel()
    qtbot.waitUntil(lambda: arrivals.current is None)
    assert take_in.asked == ["a.mlmodel"]
    assert refused == []
    assert shelf.cards() == []


def test_closing_ends_what_is_on_its_way(qtbot, take_in, files):
    take_in.held = True
    arrivals = Arrivals(take_in)
    arrivals.ask(files)
    qtbot.waitUntil(lambda: bool(take_in.asked))
    arrivals.close()
    assert not arrivals._errand._thread.is_alive()


def test_words_tell_bytes_then_that_the_model_is_looked_into():
    use_language("en", resource("locale"))
    assert arrival_words(Arrival("a.mlmodel")) == "Reading “a.mlmodel”…"
    assert arrival_words(Arrival("a.mlmodel", 12_000_000, 80_000_000)) == "Copying “a.mlmodel”: 12.0 of 80.0\u00a0MB"
    assert arrival_words(Arrival("a.mlmodel", 5, 5, 2, 3)) == "Looking into “a.mlmodel”… (2 of 3)"


def test_the_line_shows_itself_only_while_something_comes(qtbot):
    line = ArrivalLine()
    qtbot.addWidget(line)
    assert line.isHidden()
    line.show_arrival(Arrival("a.mlmodel", 1, 4))
    assert not line.isHidden()
    assert line.accessibleName() == line.text()
    line.show_arrival(None)
    assert line.isHidden()
