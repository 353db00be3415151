"""What every command of `dyno` has: examples in its help, and help in the current language."""

from __future__ import annotations

import copy
from typing import Any

import click

from app.i18n import _


class Command(click.Command):
    """A command whose `examples` (command line, what it does) close its help. All texts are marked with N_."""

    def __init__(self, *args: Any, examples: tuple[tuple[str, str], ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each over its explanation."""
        with formatter.section(_("Examples")):
            for line, meaning in self.examples:
                formatter.write_text(line)
                with formatter.indentation():
                    formatter.write_text(_(meaning))


def in_current_language(command: click.Command) -> click.Command:
    """A copy of the command with its help translated now; the command itself keeps what the source says."""
    shown = copy.copy(command)
    shown.help = command.help and _(command.help)
    shown.short_help = command.short_help and _(command.short_help)
    shown.params = [_parameter_in_current_language(parameter) for parameter in command.params]
    return shown


def _parameter_in_current_language(parameter: click.Parameter) -> click.Parameter:
    shown = copy.copy(parameter)
    if isinstance(shown, click.Option | click.Argument) and shown.help:
        shown.help = _(shown.help)
    return shown
