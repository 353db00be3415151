"""Where a window can be opened, and what the program does where it cannot."""

import sys

import pytest

from app import __main__ as program
from app.display import has_display

VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.fixture(autouse=True)
def _linux_without_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_bare_linux_has_none():
    assert not has_display()


@pytest.mark.parametrize("name", VARIABLES)
def test_any_of_the_variables_is_taken_at_its_word(name, monkeypatch):
    monkeypatch.setenv(name, "x")
    assert has_display()


def test_macos_always_has_one(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert has_display()


@pytest.mark.parametrize(("given", "run"), [([], ["demo"]), (["models"], ["models"])])
def test_without_a_display_the_terminal_does_the_job(given, run, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dyno", *given])
    monkeypatch.setattr("app.cli.main.run_command_line", lambda arguments: arguments)
    assert program.main() == run
