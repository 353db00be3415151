"""`dyno import`, `rename`, `remove` and `restore` keep the user's library."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.main import FAILED, USED_WRONGLY, run_command_line
from app.errors import ModelMissing, ModelUnreadable, NameTaken
from app.library.card import Obstacle
from app.library.importing import Imported
from tests.cli.stand_in_rooms import StandInRooms


class Rooms(StandInRooms):
    """A library with one model, Cats."""

    def __init__(self):
        super().__init__()
        self.own = replace(self.card, id="Cats", name="Cats", path=Path("/library/Cats.mlmodel"), built_in=False)
        self.cards, self.removed = [self.card, self.own], []

    def models(self):
        return self.cards

    def find_model(self, name_or_path):
        for card in self.cards:
            if card.id == name_or_path:
                return card
        raise ModelMissing(model=name_or_path, known=tuple(card.id for card in self.cards))

    def import_model(self, path, on_progress):
        if path.suffix != ".mlmodel":
            raise ModelUnreadable(model=path.name, cause="it is empty")
        on_progress(1, 1)
        obstacle = Obstacle("mlx", "UnsupportedOps", {"model": path.name, "ops": ["gru"]})
        card = replace(self.own, name=path.stem, obstacles=(obstacle,) if path.stem == "Recurrent" else ())
        return Imported(card, path.stem == "Known")

    def rename_model(self, card, name):
        if name == "taken":
            raise NameTaken(name=name)
        return replace(card, name=name)

    def remove_model(self, card):
        self.cards.remove(card)
        self.removed.append(card)

    def removed_models(self):
        return self.removed

    def restore_model(self, name):
        return next(card for card in self.removed if card.name == name)


def test_import_says_what_came_in_and_what_was_there(capfd):
    assert run_command_line(["import", "New.mlmodel", "Known.mlmodel"], Rooms()) == 0
    out = capfd.readouterr().out
    assert "“New” is in the library." in out
    assert "“Known” is in the library already." in out


def test_import_says_what_cannot_run_it(capfd):
    assert run_command_line(["import", "Recurrent.mlmodel"], Rooms()) == 0
    assert "gru" in capfd.readouterr().out


def test_a_file_that_cannot_be_used_does_not_keep_the_others_out(capfd):
    assert run_command_line(["import", "bad.txt", "New.mlmodel"], Rooms()) == FAILED
    said = capfd.readouterr()
    assert "“bad.txt”" in said.err
    assert "“New”" in said.out


def test_import_needs_a_file():
    assert run_command_line(["import"], Rooms()) == USED_WRONGLY


def test_rename(capfd):
    assert run_command_line(["rename", "Cats", "Felines"], Rooms()) == 0
    assert "“Cats” is now called “Felines”." in capfd.readouterr().out
    assert run_command_line(["rename", "Cats", "taken"], Rooms()) == FAILED


def test_remove_and_restore(capfd):
    rooms = Rooms()
    assert run_command_line(["remove", "Cats"], rooms) == 0
    assert "dyno restore Cats" in capfd.readouterr().out
    assert run_command_line(["restore"], rooms) == 0
    assert capfd.readouterr().out == "Cats\n"
    assert run_command_line(["restore", "Cats"], rooms) == 0
    assert "is in the library" in capfd.readouterr().out


def test_the_same_name_twice_removes_once(capfd):
    rooms = Rooms()
    assert run_command_line(["remove", "Cats", "Cats"], rooms) == 0
    assert rooms.removed == [rooms.own]


def test_a_misspelt_name_removes_nothing():
    rooms = Rooms()
    assert run_command_line(["remove", "Cats", "Dogs"], rooms) == FAILED
    assert rooms.own in rooms.cards


@pytest.mark.parametrize("words", [["remove", "lite0"], ["rename", "lite0", "x"]])
def test_what_comes_with_the_program_stays(words, capfd):
    assert run_command_line(words, Rooms()) == FAILED
    assert "Cats" in capfd.readouterr().err
