"""`dyno models`: the models that can be named."""

from __future__ import annotations

import sys

import click

from app.cli.command import Command
from app.cli.figures import not_known, size
from app.cli.rooms import Rooms
from app.i18n import N_, _


@click.command(
    cls=Command,
    short_help=N_("The models that -m understands by name."),
    help=N_(
        "Lists the models that -m understands by name: the built-in ones, and those that were added in the window."
    ),
    examples=(
        ("dyno models", N_("As a table; the first one is the default.")),
        ("dyno models --json", N_("As JSON for another program.")),
    ),
)
@click.option("--json", "as_json", is_flag=True, help=N_("Print one JSON array, one element a model."))
@click.pass_obj
def models(rooms: Rooms, as_json: bool) -> int:
    """Exit status of the command."""
    cards = rooms.models()
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(cards, enc_hook=str), indent=2) + b"\n")
        return 0
    from app.cli.screen import screen, table

    found = table(_("model"), _("name"), _("weights"), _("input"), _("size"))
    for card in cards:
        pixels = f"{card.width} × {card.height}" if card.width and card.height else not_known()
        state = _("missing") if card.missing else size(card.size_bytes)
        found.add_row(card.id, card.name, card.weights or not_known(), pixels, state)
    screen().print(found)
    return 0
